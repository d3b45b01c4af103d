const WORDS =
  'ad adipisci alias aliquam amet animi aperiam architecto asperiores aut autem beatae blanditiis commodi consectetur consequatur corporis corrupti culpa cum cumque debitis delectus deleniti deserunt dicta dignissimos distinctio dolor dolore dolorem doloribus ducimus ea eaque earum eius eligendi enim eos error esse est et eum eveniet ex excepturi exercitationem expedita explicabo facere facilis fuga fugiat fugit harum hic id illo illum impedit in incidunt inventore ipsa ipsam ipsum iste itaque iure iusto labore laboriosam laborum laudantium libero magnam magni maiores maxime minima minus modi molestiae mollitia nam natus necessitatibus nemo neque nesciunt nihil nisi nobis non nostrum nulla numquam occaecati odio odit officia officiis omnis optio pariatur perferendis perspiciatis placeat porro possimus praesentium provident quae quaerat quam quas quasi qui quia quibusdam quidem quis quisquam quo quod quos ratione recusandae reiciendis rem repellat repellendus reprehenderit repudiandae rerum saepe sapiente sed sequi similique sint sit soluta sunt suscipit tempora tempore temporibus tenetur totam ullam unde ut vel velit veniam veritatis vero vitae voluptas voluptate voluptatem voluptatum'.split(
    ' ',
  );

const random = (from: number, to: number): number =>
  from + Math.floor(Math.random() * Math.max(1, to - from));

/** Filler text: `count` paragraphs of `min` to `max` words. */
export function lipsum(count: number, html: boolean, min: number, max: number): string {
  const paragraphs: string[] = [];
  for (let i = 0; i < count; i++) {
    const words: string[] = [];
    let sentence = random(3, 12);
    let isFirst = true;
    for (let left = random(min, max); left > 0; left--) {
      const word = WORDS[random(0, WORDS.length)] as string;
      let shown = isFirst ? (word[0] as string).toUpperCase() + word.slice(1) : word;
      isFirst = false;
      if (--sentence === 0 || left === 1) {
        shown += '.';
        isFirst = true;
        sentence = random(3, 12);
      }
      words.push(shown);
    }
    paragraphs.push(words.join(' '));
  }
  return html ? paragraphs.map((paragraph) => `<p>${paragraph}</p>`).join('\n') : paragraphs.join('\n\n');
}
