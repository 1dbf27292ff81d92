// Asking the API, and what it says of itself.

let tables = new Map();
let functions = new Map();
let trouble = null;

async function ask(method, path, { headers = {}, body } = {}) {
  const all = { Accept: 'application/json', ...headers };
  if (token.value) all.Authorization = `Bearer ${token.value}`;
  if (body !== undefined) all['Content-Type'] = 'application/json';
  const started = performance.now();
  let response;
  try {
    response = await fetch(new URL(path, base), { method, headers: all, body, cache: 'no-store', credentials: 'same-origin' });
  } catch (error) {
    return { ok: false, status: 0, data: { message: 'The server does not answer.', details: String(error.message || error) }, header: () => null };
  }
  const text = await response.text();
  let data = text;
  try { data = text ? parse(text) : null; } catch { /* not JSON: shown as it is */ }
  return {
    ok: response.ok, status: response.status, data, milliseconds: Math.round(performance.now() - started),
    header: name => response.headers.get(name),
  };
}

function problem(answer) {
  const told = answer.data && typeof answer.data === 'object' ? answer.data : { message: shown(answer.data) || 'No answer' };
  return h('div', { className: 'note bad', role: 'alert' },
    h('b', {}, [answer.status || '', told.code].filter(Boolean).join(' · ') || 'Failed'),
    told.message, told.details && h('p', {}, shown(told.details)), told.hint && h('p', {}, told.hint),
    answer.status === 401 && h('p', {}, h('button', { type: 'button', onclick: () => $('who').click() }, token.value ? 'Paste another token' : 'Paste a token')));
}

async function load() {
  showWho();
  const [description, status] = await Promise.all([ask('GET', './'), ask('GET', '-/status')]);
  tables = new Map();
  functions = new Map();
  trouble = null;
  if (description.ok && description.data && description.data.paths) read(description.data);
  else trouble = description;
  $('state').textContent = status.ok ? `${status.data.version} · ${status.data.ready ? 'ready' : 'not ready'}` : 'no answer';
  names();
  render();
}

// The description names keys in its texts, as PostgREST's does.
function read(document) {
  for (const [path, verbs] of Object.entries(document.paths)) {
    const name = path.slice(1);
    if (!name || name.startsWith('-/')) continue;
    const about = [verbs.get, verbs.post].filter(Boolean).map(verb => [verb.summary, verb.description]).flat().filter(Boolean)[0];
    if (name.startsWith('rpc/')) {
      const schema = ((verbs.post || {}).parameters || []).map(parameter => parameter.schema).find(Boolean) || {};
      functions.set(name.slice(4), { about, reads: Boolean(verbs.get), columns: columnsOf(schema) });
    } else {
      tables.set(name, { about, writes: Boolean(verbs.post), columns: columnsOf((document.definitions || {})[name] || {}) });
    }
  }
}

function columnsOf(schema) {
  return Object.entries(schema.properties || {}).map(([name, it]) => {
    const text = it.description || '';
    const key = /<fk table='(.*?)' column='(.*?)'\/>/.exec(text);
    return {
      name, type: it.type || '', format: it.format || it.type || '', values: it.enum || null, preset: it.default,
      required: (schema.required || []).includes(name), isKey: text.includes('<pk/>'),
      refers: key && { table: key[1], column: key[2] }, about: text.split(/\n?\n?Note:\n/)[0],
    };
  });
}

function names() {
  const wanted = $('find').value.trim().toLowerCase();
  const group = (title, list, kind) => {
    const found = [...list.keys()].filter(name => name.toLowerCase().includes(wanted));
    if (!found.length) return [];
    const link = name => h('li', {}, h('a', { href: `#/${kind}/${encode(name)}`, title: name }, name));
    return [h('h2', {}, `${title} (${found.length})`), h('ul', {}, found.map(link))];
  };
  const lists = [...group('Tables and views', tables, 't'), ...group('Functions', functions, 'f')];
  $('names').replaceChildren(...(lists.length ? lists : [h('p', { className: 'soft' }, wanted ? 'Nothing of that name.' : 'Nothing to see yet.')]));
  mark();
}

function mark() {
  const here = location.hash.split('?')[0];
  for (const link of document.querySelectorAll('#side a')) {
    if (link.getAttribute('href') === here) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

function menu(isOpen) { $('side').classList.toggle('open', isOpen); $('menu').setAttribute('aria-expanded', String(isOpen)); }
$('menu').addEventListener('click', () => menu(!$('side').classList.contains('open')));
$('find').addEventListener('input', names);
