'use strict';
// The API is where this page is, one step up: also below a proxy's path, and below /rest/v1/.
const base = new URL('..', location.origin + location.pathname);
const $ = id => document.getElementById(id);
const OPERATORS = [
  ['eq', '='], ['neq', '≠'], ['gt', '>'], ['gte', '≥'], ['lt', '<'], ['lte', '≤'], ['like', 'like'], ['ilike', 'ilike'],
  ['match', 'matches'], ['imatch', 'matches (any case)'], ['in', 'in'], ['is', 'is'], ['cs', 'contains'],
  ['cd', 'contained in'], ['ov', 'overlaps'], ['fts', 'full text'],
];
const SIZES = [10, 25, 50, 100, 500];
let tables = new Map();
let functions = new Map();
let trouble = null;

// ---- small things

// Text only ever becomes text: nothing of the data is read as HTML.
function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name in element && name !== 'list') element[name] = value;
    else if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat(9).filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

function show(...children) { $('main').replaceChildren(...children.flat(9).filter(Boolean)); }

// A number that JavaScript would round, or whose zeros it would drop, keeps its digits.
class Exact { constructor(source) { this.source = source; } toString() { return this.source; } }

function parse(text) {
  return JSON.parse(text, (_, value, context) =>
    typeof value === 'number' && context && String(value) !== context.source
      ? new Exact(context.source) : value);
}

function write(value, indent) {
  return JSON.stringify(value, (_, part) =>
    part instanceof Exact ? (JSON.rawJSON ? JSON.rawJSON(part.source) : Number(part.source)) : part, indent);
}

const isNumber = value => typeof value === 'number' || value instanceof Exact;

function shown(value) {
  if (value === null || value === undefined) return null;
  return typeof value === 'object' && !(value instanceof Exact) ? write(value) : String(value);
}

function quoted(name) { return /^[\p{L}_][\p{L}\p{N}_$ ]*$/u.test(name) ? name : `"${name.replace(/(["\\])/g, '\\$1')}"`; }

const encode = text => encodeURIComponent(text).replace(/%(2C|3A|28|29|2A|21|27|40)/g, code => decodeURIComponent(code));

// ---- who asks

const token = {
  get value() { return sessionStorage.getItem('berth.token') || ''; },
  set value(text) { text ? sessionStorage.setItem('berth.token', text) : sessionStorage.removeItem('berth.token'); },
};

function claims(text) {
  try {
    const body = text.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(body), letter => letter.charCodeAt(0))));
  } catch { return null; }
}

function showWho() {
  const known = claims(token.value);
  const role = known && typeof known.role === 'string' ? known.role : 'with a token';
  $('who').textContent = token.value ? `🔑 ${role}` : 'No token';
  $('who').title = 'Who asks: paste or forget a token';
}

function showClaims() {
  const known = claims($('token-value').value.trim());
  const list = Object.entries(known || {}).slice(0, 12).map(([name, value]) => {
    const isTime = ['exp', 'iat', 'nbf'].includes(name) && typeof value === 'number';
    let text = isTime ? new Date(value * 1000).toLocaleString() : shown(value);
    if (name === 'exp' && value * 1000 < Date.now()) text += ' (over)';
    return [h('dt', {}, name), h('dd', {}, text)];
  });
  $('claims').replaceChildren(...list.flat());
}

$('who').addEventListener('click', () => { $('token-value').value = token.value; showClaims(); $('token').showModal(); });
$('token-value').addEventListener('input', showClaims);
$('token-forget').addEventListener('click', () => $('token').close('forget'));
$('token-show').addEventListener('change', event => { $('token-value').type = event.target.checked ? 'text' : 'password'; });
$('token').addEventListener('close', () => {
  const { returnValue } = $('token');
  if (returnValue === 'use') token.value = $('token-value').value.trim().replace(/^Bearer\s+/i, '');
  if (returnValue === 'forget') token.value = '';
  $('token').returnValue = $('token-value').value = '';
  if (returnValue) load();
});

// ---- asking

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

// ---- where we are

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

// ---- snippets

function copyable(text) {
  const button = h('button', {
    type: 'button',
    onclick: async () => {
      let done = true;
      try { await navigator.clipboard.writeText(text); } catch { done = false; }
      button.textContent = done ? 'Copied' : 'Select it and copy';
      setTimeout(() => { button.textContent = 'Copy'; }, 1500);
    },
  }, 'Copy');
  return h('div', { className: 'copy' }, h('pre', { tabIndex: 0 }, h('code', {}, text)), button);
}

const shell = text => `'${text.replace(/'/g, `'\\''`)}'`;
const script = text => `'${String(text).replace(/[\\']/g, '\\$&').replace(/\n/g, '\\n')}'`;

function curl(method, path, headers = {}, body) {
  const lines = [`curl ${method === 'GET' ? '' : `-X ${method} `}${shell(new URL(path, base).href)}`];
  if (token.value) lines.push('-H "Authorization: Bearer $TOKEN"');
  for (const [name, value] of Object.entries(headers)) lines.push(`-H ${shell(`${name}: ${value}`)}`);
  if (body !== undefined) lines.push("-H 'Content-Type: application/json'", `-d ${shell(body)}`);
  return lines.join(' \\\n  ');
}

function client(call) {
  const root = base.href.replace(/\/$/, '').replace(/\/rest\/v1$/, '');
  const key = token.value ? 'token' : "'any'";
  return `import { createClient } from '@supabase/supabase-js'\nconst supabase = createClient(${script(root)}, ${key})\n\nconst { data, error } = await supabase\n  ${call}`;
}

function snippets(curlText, clientText) {
  return h('details', {}, h('summary', {}, 'Use it elsewhere'),
    h('h2', {}, 'curl'), copyable(curlText), h('h2', {}, 'supabase-js'), copyable(clientText),
    token.value && h('p', { className: 'soft' }, 'Your token is left out: put it in yourself.'));
}

// ---- the overview

async function overview() {
  const status = await ask('GET', '-/status');
  const card = (name, value) => h('div', { className: 'card' }, h('span', {}, name), h('b', {}, value));
  const count = value => Number(value).toLocaleString();
  const bytes = value => (value > 1e9 ? `${(value / 1e9).toFixed(1)} GB` : value > 1e6 ? `${(value / 1e6).toFixed(1)} MB` : `${count(value)} B`);
  const span = seconds => (seconds > 172800 ? `${Math.floor(seconds / 86400)} days` : seconds > 7200 ? `${Math.floor(seconds / 3600)} h` : seconds > 120 ? `${Math.floor(seconds / 60)} min` : `${seconds} s`);
  const it = status.data || {};
  const known = new Set(['version', 'ready', 'uptimeSeconds', 'requestsInFlight', 'queueLimit', 'log']);
  const log = it.log || null;
  const more = Object.entries(it).filter(([name, value]) => !known.has(name) && value !== null);
  return [
    h('div', { className: 'row spread' }, h('h1', {}, 'This instance'), h('button', { type: 'button', onclick: load }, 'Look again')),
    status.ok ? h('div', { className: 'cards' },
      card('Version', it.version), card('State', it.ready ? 'ready' : 'not ready'), card('Up for', span(it.uptimeSeconds)),
      card('Requests in flight', `${count(it.requestsInFlight)} of ${count(it.queueLimit)}`),
      log && card('Log position', count(log.position)), log && card('Newest snapshot', count(log.snapshotPosition)),
      log && card('Working copy', bytes(log.copyBytes)),
      log && card('Volume, written', bytes(log.volumeBytesWritten)), log && card('Volume, read', bytes(log.volumeBytesRead)),
      more.filter(([, value]) => typeof value !== 'object').map(([name, value]) => card(name, shown(value)))) : problem(status),
    h('p', { className: 'soft' }, 'Platforms run many of these; each speaks of itself. Figures over time are at ',
      h('a', { href: new URL('-/metrics', base).href }, 'metrics'), ', the API is described at ',
      h('a', { href: base.href }, base.pathname), '.'),
    h('h2', {}, 'What you see'),
    trouble ? [problem(trouble), byName(), trouble.data && trouble.data.code === 'PGRST126' ? null : closed()] : tables.size + functions.size === 0 ? closed()
      : h('p', {}, [tables.size && `${tables.size} tables and views`, functions.size && `${functions.size} functions`].filter(Boolean).join(' and '), token.value ? ' as your token’s role.' : ' without a token.',
        ' Pick one at the side', h('span', { className: 'hidden' }, ' (Menu)'), '.'),
    h('h2', {}, 'Who may see more'),
    h('p', {}, 'Grants decide, row by row where policies say so. Paste a token to ask as its role: ',
      h('button', { type: 'button', onclick: () => $('who').click() }, token.value ? 'Another token' : 'Paste a token')),
  ];
}

// Without a description a table can still be asked for.
function byName() {
  const name = h('input', { id: 'by-name', placeholder: 'films', autocomplete: 'off', spellcheck: false, required: true });
  return h('form', { className: 'line', onsubmit: event => { event.preventDefault(); go('t', name.value.trim(), ''); } },
    h('label', { className: 'hidden', htmlFor: 'by-name' }, 'A table or view by its name'), name, h('button', {}, 'Open'));
}

function closed() {
  return h('div', { className: 'note' }, h('b', {}, 'Nothing is open to you here.'),
    h('p', {}, 'A fresh deployment is closed: what nothing is granted on, nobody sees. Open what should be seen in a migration (on Postgres, in the database),'),
    h('pre', {}, h('code', {}, 'CREATE ROLE anon NOLOGIN;  -- who comes without a token\nGRANT SELECT ON films TO anon;')),
    h('p', {}, 'or ask as a role that may see more, with a token. To look around on your own machine, start with ', h('code', {}, 'ACCESS=read'), '.'));
}

// ---- rows

const RESERVED = new Set(['select', 'order', 'limit', 'offset', 'and', 'or', 'not.and', 'not.or', 'columns', 'on_conflict']);

function readQuery(text) {
  const query = { filters: [], order: [], limit: 25, offset: 0, rest: [] };
  for (const [name, value] of new URLSearchParams(text)) {
    const test = /^(not\.)?([a-z]+)\.(.*)$/s.exec(value);
    if (name === 'limit' && /^\d+$/.test(value)) query.limit = Number(value);
    else if (name === 'offset' && /^\d+$/.test(value)) query.offset = Number(value);
    else if (name === 'order') query.order = value.split(',').filter(Boolean);
    else if (!RESERVED.has(name) && test && OPERATORS.some(([operator]) => operator === test[2])) {
      query.filters.push({ name, not: Boolean(test[1]), operator: test[2], value: test[3] });
    } else query.rest.push([name, value]);
  }
  return query;
}

function writeQuery({ filters, order, limit, offset, rest }) {
  const parts = [
    ...rest, ...filters.map(it => [it.name, `${it.not ? 'not.' : ''}${it.operator}.${it.value}`]),
    ...(order.length ? [['order', order.join(',')]] : []), ['limit', limit], ...(offset ? [['offset', offset]] : []),
  ];
  return parts.map(([name, value]) => `${encode(name)}=${encode(String(value))}`).join('&');
}

function supabaseRead(name, query) {
  const lines = [`.from(${script(name)})`, `.select(${script((query.rest.find(([key]) => key === 'select') || [])[1] || '*')})`];
  for (const { name: column, not, operator, value } of query.filters) {
    const of = script(column);
    const plain = { eq: 'eq', neq: 'neq', gt: 'gt', gte: 'gte', lt: 'lt', lte: 'lte', like: 'like', ilike: 'ilike' }[operator];
    if (not) lines.push(`.not(${of}, '${operator}', ${script(value)})`);
    else if (plain) lines.push(`.${plain}(${of}, ${script(/^i?like$/.test(operator) ? value.replace(/\*/g, '%') : value)})`);
    else if (operator === 'is' && ['null', 'true', 'false'].includes(value)) lines.push(`.is(${of}, ${value})`);
    else lines.push(`.filter(${of}, '${operator}', ${script(value)})`);
  }
  for (const term of query.order) {
    const [column, ...how] = term.split('.');
    const options = [how.includes('desc') && 'ascending: false', how.includes('nullsfirst') && 'nullsFirst: true'].filter(Boolean);
    lines.push(`.order(${script(column)}${options.length ? `, { ${options.join(', ')} }` : ''})`);
  }
  lines.push(`.range(${query.offset}, ${query.offset + query.limit - 1})`);
  const other = query.rest.filter(([key]) => key !== 'select').map(([key, value]) => `// and ${key}=${value}`);
  return client([...lines, ...other].join('\n  '));
}

async function tableView(name, text) {
  const table = tables.get(name) || { columns: [], writes: false };
  const query = readQuery(text);
  const path = `${encode(name)}?${writeQuery(query)}`;
  const headers = { Prefer: 'count=estimated' };
  const answer = await ask('GET', path, { headers });
  const key = table.columns.filter(column => column.isKey);
  const run = change => go('t', name, writeQuery({ ...query, offset: 0, ...change }));
  const line = h('input', { id: 'line', className: 'mono', value: `/${path}`, spellcheck: false, autocomplete: 'off' });
  return [
    h('div', { className: 'row spread' },
      h('div', {}, h('h1', {}, name), table.about && h('p', { className: 'soft' }, table.about)),
      table.writes && h('button', { type: 'button', className: 'primary', onclick: () => editor(name, table, null) }, 'Insert a row')),
    filterForm(table, query, run),
    h('form', {
      className: 'line',
      onsubmit: event => {
        event.preventDefault();
        const [to, rest = ''] = line.value.trim().replace(/^(GET\s+)?\/?/i, '').split(/\?(.*)/s);
        go('t', decodeURIComponent(to), rest);
      },
    }, h('code', {}, 'GET'), h('label', { className: 'hidden', htmlFor: 'line' }, 'The request'), line, h('button', {}, 'Send')),
    answer.ok ? rowsTable(name, table, key, query, answer, run) : problem(answer),
    snippets(curl('GET', path, headers), supabaseRead(name, query)),
    columnsTable(table),
  ];
}

function filterForm(table, query, run) {
  const list = h('div', {});
  const add = (it = { name: (table.columns[0] || {}).name || '', operator: 'eq', value: '', not: false }) => {
    const known = table.columns.some(column => quoted(column.name) === it.name);
    const options = [...(known || !it.name ? [] : [it.name]), ...table.columns.map(column => quoted(column.name))];
    const row = h('div', { className: 'filter' },
      h('select', { name: 'column', 'aria-label': 'Column' }, options.map(column => h('option', { value: column, selected: column === it.name }, column))),
      h('select', { name: 'operator', 'aria-label': 'Operator' }, ['', 'not.'].map(not => OPERATORS.map(([operator, sign]) =>
        h('option', { value: not + operator, selected: not + operator === (it.not ? 'not.' : '') + it.operator }, `${not ? 'not ' : ''}${sign}`)))),
      h('input', { name: 'value', 'aria-label': 'Value', value: it.value, autocomplete: 'off', spellcheck: false }),
      h('button', { type: 'button', className: 'plain', 'aria-label': 'Remove this filter', onclick: () => { row.remove(); form.requestSubmit(); } }, '✕'));
    list.append(row);
    return row;
  };
  query.filters.forEach(add);
  const form = h('form', {
    onsubmit: event => {
      event.preventDefault();
      run({
        filters: [...list.children].map(row => {
          const [column, operator, value] = row.querySelectorAll('select, input');
          return { name: column.value, not: operator.value.startsWith('not.'), operator: operator.value.replace('not.', ''), value: value.value };
        }),
      });
    },
  }, list, h('div', { className: 'row' },
    h('button', { type: 'button', onclick: () => { add().querySelector('select').focus(); apply.hidden = false; } }, '+ Filter'),
    h('button', { className: 'primary', hidden: !query.filters.length }, 'Apply')));
  const apply = form.querySelector('.primary');
  return form;
}

function rowsTable(name, table, key, query, answer, run) {
  const rows = Array.isArray(answer.data) ? answer.data : [answer.data];
  const columns = [...new Set(rows.flatMap(row => (row && typeof row === 'object' ? Object.keys(row) : ['value'])))];
  const shownColumns = columns.length ? columns : table.columns.map(column => column.name);
  const typed = column => table.columns.find(it => it.name === column) || { name: column, format: '' };
  const mayEdit = table.writes && key.length > 0 && key.every(column => shownColumns.includes(column.name));
  const head = column => {
    const at = query.order.findIndex(term => term.split('.')[0] === quoted(column));
    const isDown = at >= 0 && /\.desc/.test(query.order[at]);
    const next = at < 0 ? [`${quoted(column)}`] : isDown ? [] : [`${quoted(column)}.desc`];
    return h('th', { scope: 'col', className: rows.some(row => isNumber(row && typeof row === 'object' ? row[column] : row)) ? 'number' : '', 'aria-sort': at < 0 ? 'none' : isDown ? 'descending' : 'ascending' },
      h('button', { type: 'button', title: 'Order by it', onclick: () => run({ order: next }) }, column, at < 0 ? '' : isDown ? ' ↓' : ' ↑'),
      h('small', {}, typed(column).format));
  };
  const cell = (row, column) => {
    const value = row && typeof row === 'object' ? row[column] : row;
    const text = shown(value);
    const { refers } = typed(column);
    const goes = text !== null && refers && tables.has(refers.table);
    const short = text !== null && text.length > 400 ? `${text.slice(0, 400)}…` : text;
    return h('td', { className: isNumber(value) ? 'number' : '', title: text === null ? '' : text.slice(0, 2000) },
      text === null ? h('span', { className: 'none' }, 'null') : text === '' ? h('span', { className: 'none' }, 'empty')
        : goes ? h('a', { href: `#/t/${encode(refers.table)}?${writeQuery({ ...readQuery(''), filters: [{ name: quoted(refers.column), operator: 'eq', value: text }] })}` }, short) : short);
  };
  const edit = (row, index) => h('td', {}, h('button', {
    type: 'button', className: 'plain', 'aria-label': `Edit row ${query.offset + index + 1}`, onclick: () => editor(name, table, row),
  }, '✎'));
  const range = /^(\d+)-(\d+)\/(.*)$/.exec(answer.header('Content-Range') || '');
  const total = range && range[3] !== '*' ? Number(range[3]) : null;
  const page = offset => () => run({ offset: Math.max(0, offset) });
  return [
    h('div', { className: 'wrap', tabIndex: 0, role: 'region', 'aria-label': `Rows of ${name}` }, h('table', {},
      h('caption', { className: 'hidden' }, `Rows of ${name}`),
      h('thead', {}, h('tr', {}, mayEdit && h('th', { scope: 'col' }, h('span', { className: 'hidden' }, 'Edit')), shownColumns.map(head))),
      h('tbody', {}, rows.map((row, index) => h('tr', {}, mayEdit && edit(row, index), shownColumns.map(column => cell(row, column))))))),
    h('div', { className: 'row spread' },
      h('span', { className: 'soft', role: 'status' }, rows.length ? `${query.offset + 1}–${query.offset + rows.length}${total === null ? '' : ` of ${total.toLocaleString()}`}` : 'No rows', ` · ${answer.milliseconds} ms`),
      h('div', { className: 'row' },
        h('label', { className: 'hidden', htmlFor: 'size' }, 'Rows a page'),
        h('select', { id: 'size', onchange: event => run({ limit: Number(event.target.value) }) },
          [...new Set([...SIZES, query.limit])].sort((a, b) => a - b).map(size => h('option', { value: size, selected: size === query.limit }, `${size} rows`))),
        h('button', { type: 'button', disabled: query.offset === 0, onclick: page(query.offset - query.limit) }, 'Previous'),
        h('button', { type: 'button', disabled: total === null ? rows.length < query.limit : query.offset + rows.length >= total, onclick: page(query.offset + query.limit) }, 'Next'))),
    table.writes && !key.length && h('p', { className: 'soft' }, 'Its rows cannot be edited here: there is no primary key to name one by.'),
  ];
}

function columnsTable(table) {
  if (!table.columns.length) return null;
  const facts = column => [
    column.isKey && 'primary key', column.refers && `refers to ${column.refers.table}.${column.refers.column}`,
    column.required && !column.isKey && 'required', column.preset !== undefined && `default ${shown(column.preset)}`,
    column.values && `one of ${column.values.join(', ')}`, column.about,
  ].filter(Boolean).join(' · ');
  return h('details', {}, h('summary', {}, `Columns (${table.columns.length})`), h('div', { className: 'wrap' }, h('table', {},
    h('thead', {}, h('tr', {}, ['Column', 'Type', 'What holds'].map(title => h('th', { scope: 'col' }, title)))),
    h('tbody', {}, table.columns.map(column => h('tr', {}, h('td', {}, column.name), h('td', {}, column.format), h('td', {}, facts(column))))))));
}

// ---- fields: one for a column or an argument

function field(column, value, isNew) {
  const id = `field-${column.name}`;
  const text = value === undefined || value === null ? '' : shown(value);
  const isLong = text.length > 60 || text.includes('\n') || /json|^text|varying/.test(column.format) || column.type === 'array';
  const choice = column.type === 'boolean' ? ['true', 'false'] : column.values;
  const input = choice
    ? h('select', { id }, ['', ...choice].map(option => h('option', { value: option, selected: option === text }, option)))
    : isLong ? h('textarea', { id, value: text, rows: 1, spellcheck: false }) : h('input', { id, value: text, autocomplete: 'off', spellcheck: false });
  if (isNew && column.preset !== undefined && !choice) input.placeholder = shown(column.preset);
  const isNull = h('input', { type: 'checkbox', checked: !isNew && value === null });
  input.addEventListener('input', () => { isNull.checked = false; });
  const marks = [column.format, column.isKey && 'primary key', isNew && column.required && !column.isKey && column.preset === undefined && 'required'].filter(Boolean).join(' · ');
  return {
    element: h('div', { className: 'field' }, h('label', { htmlFor: id }, column.name, ' ', h('small', {}, marks)),
      input, column.required ? h('span') : h('label', { className: 'check' }, isNull, 'null')),
    // The JSON of what is typed; undefined: nothing to say.
    read() {
      if (isNull.checked) return value === null && !isNew ? undefined : 'null';
      const typed = input.value;
      if (isNew ? typed === '' : typed === text && value !== null) return undefined;
      return asJson(column, typed);
    },
  };
}

function asJson(column, typed) {
  const isJson = () => { try { JSON.parse(typed); return true; } catch { return false; } };
  if (column.type === 'boolean' && /^(true|false)$/.test(typed)) return typed;
  if (/^(integer|number)$/.test(column.type) && /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(typed.trim())) return typed.trim();
  if (/^jsonb?$/.test(column.format) || column.type === 'object') return isJson() ? typed : JSON.stringify(typed);
  if (column.type === 'array' && typed.trim().startsWith('[') && isJson()) return typed;
  return JSON.stringify(typed);
}

function gather(fields) {
  const parts = [];
  for (const [name, it] of fields) {
    const json = it.read();
    if (json !== undefined) parts.push(`${JSON.stringify(name)}:${json}`);
  }
  return { body: `{${parts.join(',')}}`, isEmpty: parts.length === 0 };
}

function editor(name, table, row) {
  const dialog = $('edit');
  const fields = table.columns.filter(column => !row || column.name in row).map(column => [column.name, field(column, row ? row[column.name] : undefined, !row)]);
  const said = h('div', { role: 'status' });
  const key = table.columns.filter(column => column.isKey);
  const where = row ? `?${key.map(column => `${encode(quoted(column.name))}=eq.${encode(shown(row[column.name]))}`).join('&')}` : '';
  const path = encode(name) + where;

  const send = async (method, trial) => {
    const { body, isEmpty } = gather(fields);
    if (method === 'PATCH' && isEmpty) { said.replaceChildren(h('p', {}, 'Nothing is changed yet.')); return; }
    const headers = { Prefer: `return=minimal,count=exact${trial ? ',dry-run' : ''}` };
    const answer = await ask(method, path, { headers, body: method === 'DELETE' ? undefined : body });
    if (!answer.ok) { said.replaceChildren(problem(answer)); said.scrollIntoView({ block: 'nearest' }); return; }
    const touched = Number((answer.header('Content-Range') || '').split('/')[1]);
    if (touched === 0) {
      said.replaceChildren(h('div', { className: 'note bad', role: 'alert' }, h('b', {}, 'No row was touched.'), 'It is gone, or a policy keeps you from it.'));
    } else if (trial) {
      said.replaceChildren(h('div', { className: 'note good' }, h('b', {}, 'It would work.'), 'It was tried and undone.'));
    } else { dialog.close(); render(); }
  };
  const remove = h('button', {
    type: 'button', className: 'danger',
    onclick: () => { if (remove.dataset.sure) send('DELETE', false); else { remove.dataset.sure = 1; remove.textContent = 'Delete it for good?'; } },
  }, 'Delete');
  const method = row ? 'PATCH' : 'POST';
  const code = h('div', {});
  const preview = h('details', {
    ontoggle: () => {
      const { body } = gather(fields);
      const call = row ? `.from(${script(name)})\n  .update(${body})${key.map(column => `\n  .eq(${script(column.name)}, ${script(shown(row[column.name]))})`).join('')}` : `.from(${script(name)})\n  .insert(${body})`;
      code.replaceChildren(copyable(curl(method, path, {}, body)), copyable(client(call)));
    },
  }, h('summary', {}, 'The request'), code);
  dialog.replaceChildren(h('form', { onsubmit: event => { event.preventDefault(); send(method, false); } },
    h('h2', { id: 'edit-title' }, row ? `Edit a row of ${name}` : `Insert into ${name}`),
    row ? null : h('p', { className: 'soft' }, 'What is left empty gets its default.'),
    fields.map(([, it]) => it.element), preview, said,
    h('div', { className: 'row end' }, row && remove, h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'),
      h('button', { type: 'button', title: 'Does it, answers, and undoes it', onclick: () => send(method, true) }, 'Try it'),
      h('button', { className: 'primary' }, row ? 'Save' : 'Insert'))));
  dialog.showModal();
}

// ---- functions

async function functionView(name) {
  const it = functions.get(name);
  if (!it) return [h('h1', {}, name), h('p', {}, 'There is no function of that name, or you may not see it.')];
  const fields = it.columns.map(column => [column.name, field(column, undefined, true)]);
  const result = h('div', { role: 'status' });
  const used = h('div', {});
  const path = `rpc/${encode(name)}`;
  const tell = () => {
    const { body, isEmpty } = gather(fields);
    used.replaceChildren(snippets(curl('POST', path, {}, body), client(`.rpc(${script(name)}${isEmpty ? '' : `, ${body}`})`)));
  };
  tell();
  const send = async event => {
    event.preventDefault();
    const { body } = gather(fields);
    tell();
    const answer = await ask('POST', path, { body });
    if (!answer.ok) { result.replaceChildren(problem(answer)); return; }
    const rows = answer.data;
    const isTable = Array.isArray(rows) && rows.length > 0 && rows.every(row => row && typeof row === 'object' && !Array.isArray(row) && !(row instanceof Exact));
    const columns = isTable ? [...new Set(rows.flatMap(row => Object.keys(row)))] : [];
    const body2 = isTable ? h('div', { className: 'wrap', tabIndex: 0 }, h('table', {},
      h('thead', {}, h('tr', {}, columns.map(column => h('th', { scope: 'col' }, column)))),
      h('tbody', {}, rows.slice(0, 1000).map(row => h('tr', {}, columns.map(column => h('td', {}, shown(row[column]) ?? h('span', { className: 'none' }, 'null'))))))))
      : h('pre', { tabIndex: 0 }, h('code', {}, rows === null && answer.status === 204 ? '(no content)' : typeof rows === 'string' ? rows : write(rows, 2)));
    result.replaceChildren(h('p', { className: 'soft' }, `${answer.status} · ${answer.milliseconds} ms`), body2);
  };
  return [
    h('h1', {}, name), it.about && h('p', { className: 'soft' }, it.about),
    h('form', { onsubmit: send, onchange: tell }, fields.map(([, one]) => one.element),
      h('div', { className: 'row' }, h('button', { className: 'primary' }, 'Call it'), h('span', { className: 'soft' }, it.reads ? 'It changes nothing.' : 'It may change something.'))),
    result, used,
  ];
}

load();
