// supabase-js, postgrest-js and ra-data-postgrest against the berth at BERTH_URL, over the rows of schema.sql.
// Whatever a test writes it takes away again, so that each may run alone and the same store may be asked again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRequire } from 'node:module'
import { PostgrestClient } from '@supabase/postgrest-js'
import { createClient } from '@supabase/supabase-js'

const address = process.env.BERTH_URL
const require = createRequire(import.meta.url)
const dataProvider = require('@raphiniert/ra-data-postgrest').default
const { defaultPrimaryKeys, defaultSchema } = require('@raphiniert/ra-data-postgrest')

// The realtime client of supabase-js wants a WebSocket when it is made; these tests open none.
class NoWebSocket {}
const clients = {
  'postgrest-js': new PostgrestClient(address),
  'supabase-js': createClient(address, 'key', {
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { transport: NoWebSocket },
    // The key of Supabase is a token; nothing here verifies one.
    global: { headers: {}, fetch: withoutToken },
  }),
}

function withoutToken(input, init) {
  const headers = new Headers(init.headers)
  headers.delete('Authorization')
  return fetch(input, { ...init, headers })
}

const done = (answer) => {
  assert.equal(answer.error, null)
  return answer.data
}

for (const [name, client] of Object.entries(clients)) {
  const ids = async (filter) => done(await filter(client.from('books').select('id')).order('id')).map((row) => row.id)

  const filters = [
    ['eq', (q) => q.eq('title', 'Fictions'), [3]],
    ['neq', (q) => q.neq('id', 1), [2, 3, 4]],
    ['gt', (q) => q.gt('pages', 170), [3]],
    ['gte', (q) => q.gte('pages', 170), [2, 3]],
    ['lt', (q) => q.lt('pages', 170), [1]],
    ['lte', (q) => q.lte('pages', 170), [1, 2]],
    ['like', (q) => q.like('title', 'The%'), [1, 2]],
    ['likeAllOf', (q) => q.likeAllOf('title', ['The%', '%Star']), [1]],
    ['likeAnyOf', (q) => q.likeAnyOf('title', ['Fic%', '%Star']), [1, 3]],
    ['ilike', (q) => q.ilike('title', '%PASSION'), [2]],
    ['ilikeAllOf', (q) => q.ilikeAllOf('title', ['the%', '%star']), [1]],
    ['ilikeAnyOf', (q) => q.ilikeAnyOf('title', ['fic%', '%star']), [1, 3]],
    ['is null', (q) => q.is('pages', null), [4]],
    ['is true', (q) => q.is('printed', true), [1, 2, 3]],
    ['in', (q) => q.in('title', ['Fictions', 'a,"b"']), [3]],
    ['contains an array', (q) => q.contains('labels', ['novel']), [1, 2]],
    ['contains JSON', (q) => q.contains('facts', { cats: 1 }), [2]],
    ['containedBy', (q) => q.containedBy('labels', ['novel', 'stories']), [2, 3, 4]],
    ['overlaps', (q) => q.overlaps('labels', ['short', 'stories']), [1, 3]],
    ['match', (q) => q.match({ author_id: 1, pages: 96 }), [1]],
    ['not', (q) => q.not('author_id', 'eq', 1), [3]],
    ['not is', (q) => q.not('author_id', 'is', null), [1, 2, 3]],
    ['or', (q) => q.or('id.eq.4,and(author_id.eq.1,pages.lt.100)'), [1, 4]],
    ['filter', (q) => q.filter('id', 'in', '(1,4)'), [1, 4]],
    ['a JSON path', (q) => q.eq('facts->>rooms', '2'), [2]],
    ['textSearch', (q) => q.textSearch('title', 'stars', { config: 'english', type: 'websearch' }), [1]],
    ['a phrase', (q) => q.textSearch('title', 'hour of the star', { config: 'english', type: 'phrase' }), [1]],
    ['in with signs of its own', (q) => q.in('title', ['a"b', 'x\\y', '(p)', 'Fictions']), [3]],
    ['in of nothing', (q) => q.in('id', []), []],
    ['a negated tree', (q) => q.or('and(id.gte.2,id.lte.3),not.and(id.gt.1,id.lt.5)'), [1, 2, 3]],
  ]
  for (const [filter, ask, expected] of filters) {
    test(`${name} filters with ${filter}`, async () => assert.deepEqual(await ids(ask), expected))
  }

  test(`${name} inserts, updates, upserts and deletes`, async () => {
    const books = () => client.from('books')
    const inserted = done(await books().insert({ title: 'New', labels: ['a', 'b,c'] }).select('title,labels,printed'))
    assert.deepEqual(inserted, [{ title: 'New', labels: ['a', 'b,c'], printed: true }])
    const updated = await books().update({ pages: 7 }).eq('title', 'New').select('pages').single()
    assert.deepEqual(done(updated), { pages: 7 })
    const many = await books().insert([{ id: 50, title: 'x' }, { id: 51, title: 'y', pages: 3 }], { defaultToNull: false })
    assert.equal(many.status, 201)
    const upserted = await books().upsert([{ id: 50, title: 'z' }, { id: 52, title: 'w' }]).select('id,title').order('id')
    assert.deepEqual(done(upserted), [{ id: 50, title: 'z' }, { id: 52, title: 'w' }])
    done(await books().upsert({ id: 50, title: 'ignored' }, { ignoreDuplicates: true }))
    assert.equal(done(await books().select('title').eq('id', 50).single()).title, 'z')
    const named = await client.from('authors').upsert({ name: 'Borges', born: 1899 }, { onConflict: 'name' }).select('id')
    assert.deepEqual(done(named), [{ id: 2 }])
    const gone = await books().delete({ count: 'exact' }).or('id.in.(50,51,52),title.eq.New')
    assert.equal(gone.status, 204)
    assert.equal(gone.count, 4)
  })

  test(`${name} embeds, filters and orders related rows`, async () => {
    const authors = await client.from('authors').select('name,books(title)').order('id')
      .order('title', { referencedTable: 'books', ascending: false })
    assert.deepEqual(done(authors), [
      { name: 'Lispector', books: [{ title: 'The Passion' }, { title: 'The Hour of the Star' }] },
      { name: 'Borges', books: [{ title: 'Fictions' }] },
      { name: 'Nobody', books: [] },
    ])
    const limited = await client.from('authors').select('books(id)').eq('id', 1)
      .order('id', { referencedTable: 'books' }).limit(1, { referencedTable: 'books' })
    assert.deepEqual(done(limited), [{ books: [{ id: 1 }] }])
    const inner = await client.from('books').select('id,author:authors!inner(name)').eq('author.name', 'Borges')
    assert.deepEqual(done(inner), [{ id: 3, author: { name: 'Borges' } }])
    const spread = await client.from('books').select('id,...authors(name)').eq('id', 3)
    assert.deepEqual(done(spread), [{ id: 3, name: 'Borges' }])
  })

  test(`${name} counts, orders and cuts ranges`, async () => {
    const page = await client.from('books').select('id', { count: 'exact' }).order('id', { ascending: false }).range(1, 2)
    assert.deepEqual(done(page), [{ id: 3 }, { id: 2 }])
    assert.equal(page.count, 4)
    const head = await client.from('books').select('*', { count: 'exact', head: true }).gt('pages', 100)
    assert.equal(head.count, 2)
    assert.equal(head.data, null)
    const nulls = await client.from('books').select('id').order('pages', { nullsFirst: true }).limit(2)
    assert.deepEqual(done(nulls), [{ id: 4 }, { id: 1 }])
  })

  test(`${name} reads one row, perhaps one row, and CSV`, async () => {
    const one = (query) => query.select('id')
    assert.deepEqual(done(await one(client.from('books')).eq('id', 2).single()), { id: 2 })
    assert.equal(done(await one(client.from('books')).eq('id', 99).maybeSingle()), null)
    const none = await one(client.from('books')).eq('id', 99).single()
    assert.equal(none.status, 406)
    assert.equal(none.error.code, 'PGRST116')
    assert.equal((await one(client.from('books')).maybeSingle()).error.code, 'PGRST116')
    assert.equal(done(await client.from('authors').select('id,name,born').order('id').csv()),
      'id,name,born\n1,Lispector,1920\n2,Borges,1899\n3,Nobody,')
  })

  test(`${name} tries writes, and bounds them`, async () => {
    const books = () => client.from('books')
    assert.deepEqual(done(await books().insert({ title: 'Tried' }).select('title').rollback()), [{ title: 'Tried' }])
    assert.equal((await books().select('*', { count: 'exact', head: true })).count, 4)
    const bounded = await books().update({ pages: 1 }).gt('id', 0).maxAffected(1)
    assert.equal(bounded.error.code, 'PGRST124')
    assert.equal(done(await books().select('pages').eq('id', 1).single()).pages, 96)
    assert.deepEqual(done(await books().insert([]).select()), [])
    assert.equal(done(await books().update({ pages: 3 }).eq('id', 99).select().maybeSingle()), null)
    const rows = [{ id: 50, title: 'a' }, { id: 51, title: 'b', printed: false }]
    const upserted = await books().upsert(rows, { defaultToNull: false }).select('id,printed').order('id')
    assert.deepEqual(done(upserted), [{ id: 50, printed: true }, { id: 51, printed: false }])
    const ignored = await books().upsert([...rows, { id: 52, title: 'c' }], { defaultToNull: false, ignoreDuplicates: true })
      .select('id')
    assert.deepEqual(done(ignored), [{ id: 52 }])
    assert.equal((await books().delete({ count: 'exact' }).gte('id', 50)).count, 3)
  })

  test(`${name} asks for schemas, aborts and throws`, async () => {
    assert.deepEqual(done(await client.schema('public').from('books').select('id').eq('id', 1)), [{ id: 1 }])
    assert.equal((await client.schema('other').from('books').select('id')).error.code, 'PGRST106')
    const aborted = new AbortController()
    aborted.abort()
    const answer = await client.from('books').select().abortSignal(aborted.signal)
    assert.match(answer.error.message, /AbortError/)
    await assert.rejects(async () => client.from('nothing').select().throwOnError(), { code: 'PGRST205' })
    const head = await client.rpc('longest', { at_least: 100 }, { head: true, count: 'exact' })
    assert.equal(head.count, 2)
    assert.equal(done(await client.rpc('longest', { at_least: 1 }).select('id').order('id').csv()), 'id\n1\n2\n3')
  })

  test(`${name} filters embedded rows, and counts and sums`, async () => {
    const either = await client.from('authors').select('id,books(id)').or('id.eq.1,pages.gt.200', { referencedTable: 'books' })
      .order('id')
    assert.deepEqual(done(either), [{ id: 1, books: [{ id: 1 }] }, { id: 2, books: [] }, { id: 3, books: [] }])
    const second = await client.from('authors').select('id,books(id)').order('id')
      .order('id', { referencedTable: 'books' }).range(1, 1, { referencedTable: 'books' })
    assert.deepEqual(done(second), [{ id: 1, books: [{ id: 2 }] }, { id: 2, books: [] }, { id: 3, books: [] }])
    const counted = await client.from('authors').select('name,books(count)').eq('id', 1).single()
    assert.deepEqual(done(counted), { name: 'Lispector', books: [{ count: 2 }] })
    const titles = await client.from('authors').select('name,...books(titles:title)').eq('id', 2)
    assert.deepEqual(done(titles), [{ name: 'Borges', titles: ['Fictions'] }])
  })

  test(`${name} calls functions`, async () => {
    assert.equal(done(await client.rpc('count_of_pages', {}, { get: true })), 440)
    const long = await client.rpc('longest', { at_least: 100 }, { count: 'exact' })
      .select('title,authors(name)').order('pages', { ascending: false }).limit(1)
    assert.deepEqual(done(long), [{ title: 'Fictions', authors: { name: 'Borges' } }])
    const read = await client.rpc('longest', { at_least: 171 }, { get: true }).select('id')
    assert.deepEqual(done(read), [{ id: 3 }])
    const added = await client.rpc('add_author', { name: `of ${name}`, born: 1900 }).select('name,born').single()
    assert.deepEqual(done(added), { name: `of ${name}`, born: 1900 })
    done(await client.from('authors').delete().eq('name', `of ${name}`))
  })

  const errors = [
    ['an unknown table', () => client.from('nothing').select(), 404, 'PGRST205'],
    ['an unknown column', () => client.from('books').select('nothing'), 400, '42703'],
    ['an unknown relationship', () => client.from('books').select('nothing(id)'), 400, 'PGRST200'],
    ['an unreadable filter', () => client.from('books').select().filter('id', 'nothing', 1), 400, 'PGRST100'],
    ['a value of another type', () => client.from('books').select().eq('id', 'x'), 400, '22P02'],
    ['a duplicate', () => client.from('authors').insert({ name: 'Borges' }), 409, '23505'],
    ['a missing value', () => client.from('books').insert({ pages: 1 }), 400, '23502'],
    ['a broken reference', () => client.from('books').insert({ title: 'x', author_id: 99 }), 409, '23503'],
    ['a violated check', () => client.from('books').insert({ title: 'x', pages: 0 }), 400, '23514'],
    ['an unknown column written', () => client.from('books').insert({ title: 'x', nothing: 1 }), 400, 'PGRST204'],
    ['a write by GET', () => client.rpc('add_author', { name: 'x' }, { get: true }), 405, '25006'],
    ['an unknown function', () => client.rpc('nothing', { a: 1 }), 404, 'PGRST202'],
  ]
  for (const [fault, ask, status, code] of errors) {
    test(`${name} is told of ${fault}`, async () => {
      const answer = await ask()
      assert.equal(answer.status, status)
      assert.equal(answer.error.code, code)
      assert.equal(typeof answer.error.message, 'string')
    })
  }
}

// What react-admin calls `fetchUtils.fetchJson`, without the browser.
async function fetchJson(url, options = {}) {
  const headers = new Headers(options.headers)
  if (options.body && !headers.has('Content-Type')) headers.set('Content-Type', 'application/json')
  const answer = await fetch(url, { ...options, headers })
  const body = await answer.text()
  const json = body === '' ? undefined : JSON.parse(body)
  if (!answer.ok) throw Object.assign(new Error(json.message), { status: answer.status, body: json })
  return { status: answer.status, headers: answer.headers, body, json }
}

const provider = dataProvider({
  apiUrl: address, httpClient: fetchJson, defaultListOp: 'eq', primaryKeys: defaultPrimaryKeys, schema: defaultSchema,
})

test('ra-data-postgrest lists with a page, an order, filters and a total', async () => {
  const list = await provider.getList('books', {
    pagination: { page: 2, perPage: 1 }, sort: { field: 'id', order: 'DESC' }, filter: { 'title@like': 'The%' }, meta: {},
  })
  assert.equal(list.total, 2)
  assert.deepEqual(list.data.map((row) => row.id), [1])
  const several = await provider.getMany('books', { ids: [1, 3] })
  assert.deepEqual(several.data.map((row) => row.id).sort(), [1, 3])
  const related = await provider.getManyReference('books', {
    target: 'author_id', id: 1, pagination: { page: 1, perPage: 10 }, sort: { field: 'id', order: 'ASC' }, filter: {},
  })
  assert.equal(related.total, 2)
  assert.equal((await provider.getOne('books', { id: 3 })).data.title, 'Fictions')
})

test('ra-data-postgrest creates, updates and deletes', async () => {
  const created = await provider.create('books', { data: { title: 'Created', pages: 5 } })
  const { id } = created.data
  const changed = await provider.update('books', { id, data: { title: 'Changed' }, previousData: created.data })
  assert.equal(changed.data.title, 'Changed')
  await provider.updateMany('books', { ids: [id], data: { pages: 6 } })
  assert.equal((await provider.getOne('books', { id })).data.pages, 6)
  await provider.delete('books', { id, previousData: changed.data })
  await assert.rejects(provider.getOne('books', { id }), { status: 406 })
  const other = await provider.create('books', { data: { title: 'Other' } })
  await provider.deleteMany('books', { ids: [other.data.id] })
})
