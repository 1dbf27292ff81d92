// The console in a real browser, against a berth over SQLite that `tests/it/console.rs` starts with the sample's tables.
// Arguments: the browser, the server's address.
import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import { Browser } from './browser.mjs'

const [program, server] = process.argv.slice(2)
const api = async (path, options) => (await fetch(`${server}${path}`, options)).json()
const rows = "document.querySelectorAll('main [role=region] tbody tr').length"
const browser = await Browser.start(program)

const tests = {
  async 'the overview tells of the instance and of what the reader sees'(page) {
    await page.open(`${server}/-/`)
    await page.until("document.querySelector('.cards')")
    const text = await page.get('document.body.innerText')
    for (const told of ['This instance', 'ready', 'films', 'No token']) assert.ok(text.includes(told), told)
    assert.equal(await page.get('localStorage.length'), 0)
  },

  async 'rows are filtered, ordered and paged, and the request that does so is shown'(page) {
    await page.open(`${server}/-/#/t/films?limit=10`)
    await page.until(`${rows} === 8`)
    await page.get("[...document.querySelectorAll('main button')].find(it => it.textContent === '+ Filter').click()")
    assert.equal(await page.get('document.activeElement.getAttribute("aria-label")'), 'Column')
    await page.get("document.activeElement.value = 'year'")
    await page.key('Tab')
    await page.get("document.activeElement.value = 'gte'")
    await page.key('Tab')
    await page.type('1980')
    await page.key('Enter')
    await page.until(`${rows} === 3`)
    await page.get("[...document.querySelectorAll('th button')].find(it => it.textContent.startsWith('title')).click()")
    await page.until("document.querySelector('th[aria-sort=ascending]')")
    assert.equal(await page.get("document.querySelector('#line').value"), '/films?year=gte.1980&order=title&limit=10')
    assert.match(await page.get("document.querySelector('main details').textContent"), /\.gte\('year', '1980'\)\s+\.order\('title'\)/)
    await page.open(`${server}/-/#/t/films?order=id&limit=3`)
    await page.until("document.querySelector('#line').value === '/films?order=id&limit=3'")
    await page.get("[...document.querySelectorAll('main button')].find(it => it.textContent === 'Next').click()")
    await page.until("document.querySelector('main').innerText.includes('4–6 of 8')")
  },

  async 'a row is inserted, and what it holds is text and never markup'(page) {
    await page.open(`${server}/-/#/t/reviews?order=id&limit=50`)
    await page.until(`${rows} === 3`)
    await page.get("document.querySelector('main .primary').click()")
    const body = '<img src=x onerror="document.title=1">'
    for (const [name, value] of [['film_id', '2'], ['stars', '4'], ['body', body]]) {
      await page.get(`document.querySelector('#field-${name}').focus()`)
      await page.type(value)
    }
    await page.get("[...document.querySelectorAll('#edit button')].find(it => it.textContent === 'Try it').click()")
    await page.until("document.querySelector('#edit .note.good')")
    assert.equal((await api('/reviews?film_id=eq.2')).length, 0, 'a trial leaves nothing')
    await page.get("document.querySelector('#edit .primary').click()")
    await page.until(`${rows} === 4`)
    assert.deepEqual(await api('/reviews?film_id=eq.2&select=stars,body'), [{ stars: 4, body }])
    assert.ok((await page.get("document.querySelector('main').innerText")).includes(body))
    assert.equal(await page.get("document.querySelectorAll('main img').length"), 0)
  },

  async 'a refusal is told in the words of the server'(page) {
    await page.open(`${server}/-/#/t/reviews`)
    await page.until("document.querySelector('main .primary')")
    await page.get("document.querySelector('main .primary').click()")
    await page.get("document.querySelector('#field-film_id').focus()")
    await page.type('999')
    await page.get("document.querySelector('#field-stars').focus()")
    await page.type('9')
    await page.get("document.querySelector('#edit .primary').click()")
    await page.until("document.querySelector('#edit [role=alert]')")
    assert.match(await page.get("document.querySelector('#edit [role=alert]').innerText"), /23514[\s\S]*reviews_stars_check/)
  },

  async 'a token is sent, kept in the tab, and forgotten'(page) {
    await page.open(`${server}/-/`)
    await page.until("document.querySelector('.cards')")
    await page.get("document.querySelector('#who').click()")
    await page.type('no.token.really')
    await page.key('Enter')
    await page.until("document.querySelector('#who').textContent.includes('with a token')")
    await page.until("document.querySelector('main [role=alert]')")
    const sent = page.asked().filter(request => request.url === `${server}/`).at(-1)
    assert.equal(sent.headers.Authorization, 'Bearer no.token.really')
    assert.equal(await page.get('localStorage.length'), 0)
    assert.ok(!(await page.get('location.href')).includes('token'))
    await page.get("document.querySelector('#who').click()")
    await page.get("document.querySelector('#token-forget').click()")
    await page.until("document.querySelector('#who').textContent === 'No token'")
    assert.equal(await page.get('sessionStorage.length'), 0)
  },

  async 'a table is reached by its name where there is no description'(page) {
    await page.open(`${server}/-/`)
    await page.until("document.querySelector('.cards')")
    await page.get("sessionStorage.setItem('berth.token', 'no.token.really')")
    await page.open('about:blank')
    await page.open(`${server}/-/`)
    await page.until("document.querySelector('#by-name')")
    await page.get("sessionStorage.removeItem('berth.token')")
    await page.get("document.querySelector('#by-name').focus()")
    await page.type('films')
    await page.key('Enter')
    await page.until(`${rows} === 8`)
  },

  async 'it works below the path of a proxy, and where only /rest/v1/ is handed on'(page) {
    const proxy = createServer((incoming, outgoing) => {
      const path = incoming.url.startsWith('/base/') ? incoming.url.slice('/base'.length) : incoming.url
      if (path === incoming.url && !path.startsWith('/rest/v1/')) { outgoing.writeHead(404).end(); return }
      const onward = request(`${server}${path}`, { method: incoming.method, headers: incoming.headers }, answer => {
        outgoing.writeHead(answer.statusCode, answer.headers)
        answer.pipe(outgoing)
      })
      incoming.pipe(onward)
    })
    await new Promise(resolve => proxy.listen(0, '127.0.0.1', resolve))
    for (const path of ['/base/-', '/rest/v1/-/']) {
      await page.open(`http://127.0.0.1:${proxy.address().port}${path}#/t/films?limit=2`)
      await page.until(`${rows} === 2`)
      await page.open('about:blank')
    }
    proxy.close()
    proxy.closeAllConnections()
  },

  async 'a phone has a menu'(page) {
    await page.open(`${server}/-/#/t/films`)
    await page.until(`${rows} === 8`)
    const wide = await page.get('document.documentElement.scrollWidth <= innerWidth')
    assert.ok(wide, 'nothing sticks out at the side')
    assert.equal(await page.get("getComputedStyle(document.querySelector('#side')).display"), 'none')
    await page.get("document.querySelector('#menu').click()")
    assert.equal(await page.get("getComputedStyle(document.querySelector('#side')).display"), 'block')
    await page.get("[...document.querySelectorAll('#side a')].find(it => it.textContent === 'directors').click()")
    await page.until("document.querySelector('h1').textContent === 'directors'")
  },
}

let failed = 0
try {
  for (const [name, test] of Object.entries(tests)) {
    const page = await browser.page(name.includes('phone') ? { width: 375, height: 700, mobile: true } : {})
    try {
      await test(page)
      assert.deepEqual(page.complaints(), [])
      const elsewhere = page.asked().map(request => request.url).filter(url => !/^(http:\/\/127\.0\.0\.1:|data:|about:)/.test(url))
      assert.deepEqual(elsewhere, [])
      console.log(`ok ${name}`)
    } catch (error) {
      failed += 1
      console.log(`not ok ${name}\n${error.stack}`)
    }
  }
} finally {
  await browser.stop()
}
process.exit(failed ? 1 : 0)
