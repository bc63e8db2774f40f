// A real MCP client and a real MCP server, strangers to the provider and to each other: the server takes access tokens
// of its authorization server, the client finds out where to get them. Argument: settings as JSON. The authorization
// URL is printed, its answer read as a line of standard input; the last line printed is the result.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js'
import express from 'express'
import { createInterface } from 'node:readline'

const settings = JSON.parse(process.argv[2])
const { issuer, port, introspectionId, introspectionSecret, documentUrl, redirectUri } = settings
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const resource = new URL(`http://127.0.0.1:${port}/mcp`)
const presented = []

// --- the server -------------------------------------------------------------------------------------------------

const verifier = {
  async verifyAccessToken(token) {
    const answer = await fetch(`${issuer}/introspect`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${introspectionId}:${introspectionSecret}`)}` },
      body: new URLSearchParams({ token }),
    })
    const told = await answer.json()
    presented.push(told)
    if (!told.active) throw new InvalidTokenError('not active')
    return {
      token, clientId: told.client_id, scopes: (told.scope ?? '').split(' '), expiresAt: told.exp,
      resource: new URL(told.aud), extra: { sub: told.sub },
    }
  },
}

function serve() {
  const app = express()
  const metadata = `${issuer}/.well-known/oauth-protected-resource/127.0.0.1:${port}/mcp`
  const guard = requireBearerAuth({
    verifier, requiredScopes: ['tools.call'], resourceMetadataUrl: metadata, expectedResource: resource,
  })
  app.post('/mcp', express.json(), guard, async (request, response) => {
    const server = new McpServer({ name: 'tools', version: '1.0.0' })
    server.registerTool('whoami', { description: 'Tells who calls' }, ({ authInfo }) => ({
      content: [{ type: 'text', text: JSON.stringify({ sub: authInfo.extra.sub, client: authInfo.clientId }) }],
    }))
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined })
    await server.connect(transport)
    await transport.handleRequest(request, response, request.body)
  })
  app.get('/mcp', (_, response) => response.status(405).end())
  return new Promise((resolve) => { const it = app.listen(port, '127.0.0.1', () => resolve(it)) })
}

// --- the client -------------------------------------------------------------------------------------------------

class Keeper {
  constructor() { this.kept = {} }
  get redirectUrl() { return redirectUri }
  get clientMetadataUrl() { return documentUrl || undefined }
  get clientMetadata() {
    return {
      client_name: 'A real agent', redirect_uris: [redirectUri], token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], scope: 'tools.call',
    }
  }
  state() { return (this.kept.state ??= 'an opaque state') }
  clientInformation() { return this.kept.client }
  saveClientInformation(client) { this.kept.client = client }
  tokens() { return this.kept.tokens }
  saveTokens(tokens) { this.kept.tokens = tokens }
  redirectToAuthorization(url) { this.kept.url = url }
  saveCodeVerifier(verifier) { this.kept.verifier = verifier }
  codeVerifier() { return this.kept.verifier }
}

async function session(keeper) {
  const client = new Client({ name: 'agent', version: '1.0.0' })
  const transport = new StreamableHTTPClientTransport(resource, { authProvider: keeper })
  return { client, transport }
}

async function run() {
  const keeper = new Keeper()
  const first = await session(keeper)
  let refused = false
  try {
    await first.client.connect(first.transport)
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error
    refused = true
  }
  console.log(JSON.stringify({ authorize: keeper.kept.url.href }))
  const reached = new URL(JSON.parse((await lines.next()).value).url)
  await first.transport.finishAuth(reached.searchParams.get('code'))
  const second = await session(keeper)
  await second.client.connect(second.transport)
  const answer = await second.client.callTool({ name: 'whoami', arguments: {} })
  await second.client.close()
  // The next access token comes by the refresh token, without the user.
  const before = keeper.kept.tokens
  keeper.kept.tokens = { ...before, access_token: 'ended' }
  const third = await session(keeper)
  await third.client.connect(third.transport)
  await third.client.close()
  return {
    refused,
    asked: Object.fromEntries(keeper.kept.url.searchParams),
    clientId: keeper.kept.client.client_id,
    state: reached.searchParams.get('state'),
    iss: reached.searchParams.get('iss'),
    called: JSON.parse(answer.content[0].text),
    introspected: presented.find((told) => told.active),
    refreshed: keeper.kept.tokens.access_token !== before.access_token && keeper.kept.tokens.access_token !== 'ended',
  }
}

const server = await serve()
try {
  console.log(JSON.stringify(await run()))
  process.exit(0)
} catch (error) {
  console.error(error)
  process.exit(1)
} finally {
  server.close()
}
