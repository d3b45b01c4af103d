// The page of examples/upload: sends files, shows how far each is and all are, lists what is there.

const AT_ONCE = 3;

const drop = document.querySelector('#drop');
const choose = document.querySelector('#choose');
const totalBar = document.querySelector('#total');
const totalText = document.querySelector('#total-text');

/** Bytes that one file may have; the server says it. */
let limit = Infinity;

/** One file on its way: a line with a bar. */
class Upload {
  constructor(file) {
    this.file = file;
    this.sent = 0;
    this.over = false;
    this.bar = document.createElement('progress');
    this.bar.max = 1;
    this.bar.value = 0;
    this.text = document.createElement('output');
    const line = document.createElement('li');
    // Always as text: a file may be called <img src=x onerror=…>.
    line.append(this.bar, ' ', `${file.name} `, this.text);
    document.querySelector('#uploads').append(line);
    this.line = line;
  }

  /** XMLHttpRequest, since fetch() does not tell how much was sent. */
  send() {
    return new Promise((resolve) => {
      if (this.file.size > limit) {
        this.end(`larger than ${sizeText(limit)}`);
        resolve();
        return;
      }
      const form = new FormData();
      form.append('file', this.file, this.file.name);
      const request = new XMLHttpRequest();
      request.upload.addEventListener('progress', (event) => {
        if (event.lengthComputable) this.show(event.loaded / event.total);
      });
      request.addEventListener('load', () => {
        this.end(request.status === 201 ? undefined : request.responseText || `status ${request.status}`);
        resolve();
      });
      request.addEventListener('error', () => {
        this.end('the connection broke');
        resolve();
      });
      request.open('POST', '/files');
      request.send(form);
    });
  }

  show(part) {
    this.sent = part * this.file.size;
    this.bar.value = part;
    this.text.value = `${Math.floor(part * 100)} %`;
    showTotal();
  }

  end(failure) {
    this.over = true;
    if (failure === undefined) {
      this.show(1);
    } else {
      this.text.value = `failed: ${failure}`;
      this.line.classList.add('failed');
      showTotal();
    }
  }
}

/** @type {Upload[]} */
let uploads = [];
const waiting = [];
let running = 0;

function add(files) {
  if (files.length === 0) return;
  if (uploads.every((upload) => upload.over)) {
    uploads = [];
    document.querySelector('#uploads').replaceChildren();
  }
  document.querySelector('#progress').hidden = false;
  for (const file of files) {
    const upload = new Upload(file);
    uploads.push(upload);
    waiting.push(upload);
  }
  showTotal();
  for (let i = running; i < AT_ONCE; i++) work();
}

async function work() {
  running++;
  for (let upload = waiting.shift(); upload !== undefined; upload = waiting.shift()) {
    await upload.send();
    await list();
  }
  running--;
}

function showTotal() {
  // What failed counts neither as sent nor as to be sent.
  const counted = uploads.filter(({ line }) => !line.classList.contains('failed'));
  const size = counted.reduce((sum, { file }) => sum + file.size, 0);
  const sent = counted.reduce((sum, upload) => sum + upload.sent, 0);
  const complete = counted.every(({ over }) => over);
  const part = complete ? 1 : size === 0 ? 0 : sent / size;
  totalBar.value = part;
  totalText.value = `${Math.floor(part * 100)} % of ${sizeText(size)}`;
}

async function list() {
  const response = await fetch('/files');
  if (!response.ok) return;
  const { files, limit: largest } = await response.json();
  limit = largest;
  const rows = files.map(({ name, size }) => {
    const link = document.createElement('a');
    link.href = `/files/${encodeURIComponent(name)}`;
    link.textContent = name;
    const row = document.createElement('tr');
    row.insertCell().append(link);
    row.insertCell().textContent = sizeText(size);
    return row;
  });
  document.querySelector('#files tbody').replaceChildren(...rows);
  document.querySelector('#files').hidden = files.length === 0;
  document.querySelector('#none').hidden = files.length !== 0;
}

function sizeText(bytes) {
  const units = ['B', 'KB', 'MB', 'GB'];
  let unit = 0;
  let size = bytes;
  for (; size >= 1000 && unit < units.length - 1; unit++) size /= 1000;
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}

choose.addEventListener('change', () => {
  add([...choose.files]);
  choose.value = '';
});
drop.addEventListener('dragover', (event) => {
  event.preventDefault();
  drop.classList.add('over');
});
drop.addEventListener('dragleave', () => drop.classList.remove('over'));
drop.addEventListener('drop', (event) => {
  event.preventDefault();
  drop.classList.remove('over');
  add([...event.dataTransfer.files]);
});

await list();
