import { isIPv6 } from 'node:net';

/**
 * What stands for a client: an IPv4 address as it is, an IPv6 address as its first `prefix` bits, since whoever has one has all of
 * them: a network of 64 bits is the least that a provider hands out. An IPv4 address in IPv6 form is that IPv4 address.
 *
 * @param prefix bits, 1 to 128
 */
export function addressKey(address: string, prefix: number): string {
  if (!isIPv6(address)) return address;
  const groups = groupsOf(address);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    const [high = 0, low = 0] = groups.slice(6);
    return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
  }
  const kept = groups.map((group, index) => {
    const bits = Math.min(16, Math.max(0, prefix - index * 16));
    return group & (0xffff << (16 - bits)) & 0xffff;
  });
  while (kept.length > 1 && kept.at(-1) === 0) kept.pop();
  return `${kept.map((group) => group.toString(16)).join(':')}::/${prefix}`;
}

/** The eight numbers of a valid address. */
function groupsOf(address: string): number[] {
  const zone = address.indexOf('%');
  const text = zone === -1 ? address : address.slice(0, zone);
  const [left = '', right] = text.split('::');
  const head = numbers(left);
  const tail = right === undefined ? [] : numbers(right);
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
}

function numbers(part: string): number[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}
