// Who asks: a token, kept for this tab.

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
