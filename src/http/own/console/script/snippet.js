// The same request for use elsewhere: curl and supabase-js.

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
