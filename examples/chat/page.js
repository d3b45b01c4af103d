// The page of examples/chat: one WebSocket, what comes is shown, what is written is sent.

const enter = document.querySelector('#enter');
const room = document.querySelector('#room');
const speak = document.querySelector('#speak');
const said = document.querySelector('#said');
const people = document.querySelector('#people');
const state = document.querySelector('#state');
const text = document.querySelector('#text');

/** @type {WebSocket | undefined} */
let socket;

function show(line, kind) {
  const item = document.createElement('li');
  // Always as text: somebody may be called <img src=x onerror=…>.
  item.textContent = line;
  item.className = kind;
  said.append(item);
  item.scrollIntoView();
}

function join(name) {
  const url = new URL(`/room?name=${encodeURIComponent(name)}`, location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  socket = new WebSocket(url);
  socket.addEventListener('open', () => {
    enter.hidden = true;
    room.hidden = false;
    said.replaceChildren();
    state.textContent = 'Connected.';
    text.focus();
  });
  socket.addEventListener('message', ({ data }) => {
    const event = JSON.parse(data);
    if (event.kind === 'said') show(`${event.name}: ${event.text}`, 'said');
    else {
      show(`${event.name} ${event.kind}.`, 'note');
      people.value = event.people.join(', ');
    }
  });
  socket.addEventListener('close', ({ code, reason }) => {
    enter.hidden = false;
    room.hidden = true;
    state.textContent = `${reason === '' ? 'The connection ended' : reason} (${code}).`;
  });
}

enter.addEventListener('submit', (event) => {
  event.preventDefault();
  join(document.querySelector('#name').value);
});

speak.addEventListener('submit', (event) => {
  event.preventDefault();
  socket?.send(text.value);
  text.value = '';
});
