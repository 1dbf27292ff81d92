// Where we are: the address behind the # says what is shown.

function place() {
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  const [kind, name] = path.split(/\/(.*)/s);
  return { kind, name: decodeURIComponent(name || ''), query };
}

function go(kind, name, query) {
  const hash = `#/${kind}/${encode(name)}${query ? `?${query}` : ''}`;
  if (hash === location.hash) render(); else location.hash = hash;
}

let turn = 0;
async function render() {
  const mine = ++turn;
  const { kind, name, query } = place();
  mark();
  menu(false);
  document.title = name ? `${name} · berth` : 'berth';
  const view = kind === 't' ? tableView(name, query) : kind === 'f' ? functionView(name) : overview();
  const content = await view;
  if (mine === turn) show(content);
}

window.addEventListener('hashchange', async () => { await render(); $('main').focus({ preventScroll: true }); window.scrollTo(0, 0); });
