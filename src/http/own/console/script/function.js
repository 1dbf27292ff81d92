// A function: its arguments, and what it gives.

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
