// This instance, and what its reader may see.

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
