// Drives a Chromium over its debugging pipe: no library, no port. See
// https://chromedevtools.github.io/devtools-protocol/.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/// Milliseconds that a page may take for a step, on a machine that does much else.
const PATIENCE = 60_000

export class Browser {
  static async start(program) {
    const profile = mkdtempSync(join(tmpdir(), 'berth-console-'))
    // A group of its own, so that its end is the end of all its processes.
    const child = spawn(program, [
      '--headless=new', '--remote-debugging-pipe', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
      '--no-first-run', '--disable-background-networking', '--disable-component-update', `--user-data-dir=${profile}`,
      'about:blank',
    ], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], detached: true })
    return new Browser(child, profile)
  }

  constructor(child, profile) {
    Object.assign(this, { child, profile, last: 0, waiting: new Map(), heard: [] })
    let rest = ''
    child.stdio[4].setEncoding('utf8').on('data', text => {
      const messages = (rest + text).split('\0')
      rest = messages.pop()
      for (const message of messages) this.take(JSON.parse(message))
    })
  }

  take(message) {
    const wait = this.waiting.get(message.id)
    if (!wait) { this.heard.push(message); return }
    this.waiting.delete(message.id)
    if (message.error) wait.reject(new Error(message.error.message))
    else wait.resolve(message.result)
  }

  send(method, params = {}, sessionId) {
    const id = ++this.last
    this.child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }))
  }

  async page({ width = 1200, height = 800, dark = false, mobile = false } = {}) {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true })
    const page = new Page(this, sessionId)
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await page.send(`${domain}.enable`)
    await page.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile })
    const features = [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }]
    await page.send('Emulation.setEmulatedMedia', { features })
    return page
  }

  async stop() {
    const ended = new Promise(resolve => this.child.on('exit', resolve))
    process.kill(-this.child.pid, 'SIGKILL')
    await ended
    // Processes that are being killed may still write: what is left then is no fault of the console.
    try { rmSync(this.profile, { recursive: true, force: true, maxRetries: 10 }) } catch (error) { console.error(`left: ${error.message}`) }
  }
}

class Page {
  constructor(browser, sessionId) { Object.assign(this, { browser, sessionId }) }

  send(method, params) { return this.browser.send(method, params, this.sessionId) }

  /// The value of an expression in the page.
  async get(expression) {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`)
    return result.value
  }

  /// Waits until an expression is true. It is asked of whatever the page shows: when the page was another one before, the
  /// expression must be false of that one.
  async until(expression) {
    const end = Date.now() + PATIENCE
    while (Date.now() < end) {
      if (await this.get(expression)) return
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    throw new Error(`waited in vain for ${expression}; the page says: ${await this.get('document.body.innerText')}`)
  }

  async open(url) {
    await this.send('Page.navigate', { url })
    await this.until('document.readyState === "complete"')
  }

  async key(key, code = key) {
    const windowsVirtualKeyCode = { Enter: 13, Tab: 9, Escape: 27, Space: 32 }[key] ?? 0
    const text = key === 'Enter' ? '\r' : undefined
    await this.send('Input.dispatchKeyEvent', { type: 'keyDown', key, code, windowsVirtualKeyCode, text })
    await this.send('Input.dispatchKeyEvent', { type: 'keyUp', key, code, windowsVirtualKeyCode })
  }

  type(text) { return this.send('Input.insertText', { text }) }

  async picture(path) {
    const { data } = await this.send('Page.captureScreenshot', { format: 'png' })
    writeFileSync(path, Buffer.from(data, 'base64'))
  }

  /// What the page complained of: errors, and what its policy kept from running.
  complaints() {
    const mine = this.browser.heard.filter(message => message.sessionId === this.sessionId)
    return mine.flatMap(({ method, params }) => {
      if (method === 'Runtime.exceptionThrown') return [params.exceptionDetails.exception?.description ?? params.exceptionDetails.text]
      const isRefusal = method === 'Log.entryAdded' && params.entry.source === 'network'
      return method === 'Log.entryAdded' && params.entry.level === 'error' && !isRefusal ? [params.entry.text] : []
    })
  }

  /// Addresses that were asked for.
  asked() {
    const mine = this.browser.heard.filter(message => message.sessionId === this.sessionId && message.method === 'Network.requestWillBeSent')
    return mine.map(({ params }) => params.request)
  }
}
