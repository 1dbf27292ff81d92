// A table or view: its rows, filters, order and pages.

const OPERATORS = [
  ['eq', '='], ['neq', '≠'], ['gt', '>'], ['gte', '≥'], ['lt', '<'], ['lte', '≤'], ['like', 'like'], ['ilike', 'ilike'],
  ['match', 'matches'], ['imatch', 'matches (any case)'], ['in', 'in'], ['is', 'is'], ['cs', 'contains'],
  ['cd', 'contained in'], ['ov', 'overlaps'], ['fts', 'full text'],
];
const SIZES = [10, 25, 50, 100, 500];
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
