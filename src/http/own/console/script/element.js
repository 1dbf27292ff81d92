'use strict';
// Elements, values as JSON and as text, names in addresses.

// The API is where this page is, one step up: also below a proxy's path, and below /rest/v1/.
const base = new URL('..', location.origin + location.pathname);
const $ = id => document.getElementById(id);

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
