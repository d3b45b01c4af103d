// The site works without this file: it asks before something is deleted, and switches between light and dark.

for (const form of document.querySelectorAll('form[data-confirm]')) {
  form.addEventListener('submit', (event) => {
    if (!confirm(form.dataset.confirm)) event.preventDefault();
  });
}

const button = document.querySelector('[data-action=theme]');
button.hidden = false;
button.addEventListener('click', () => {
  const { documentElement: page } = document;
  const dark = page.dataset.theme
    ? page.dataset.theme === 'dark'
    : matchMedia('(prefers-color-scheme: dark)').matches;
  page.dataset.theme = dark ? 'light' : 'dark';
  localStorage.setItem('theme', page.dataset.theme);
});
