// Fields, one for a column or an argument, and the form that edits a row.

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
