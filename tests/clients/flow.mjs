// openid-client against a running provider: code + PKCE, UserInfo, refresh; and hybrid, by fragment and by form_post.
// Argument: settings as JSON. Each authorization URL is printed with `authorize`; its answer comes as a line of
// standard input: { url, form }. The last line printed is the result.
import * as client from 'openid-client'
import { createInterface } from 'node:readline'

const { issuer, clientId, clientSecret, redirectUri, flow } = JSON.parse(process.argv[2])
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

const config = await client.discovery(
  new URL(issuer), clientId, undefined, client.ClientSecretBasic(clientSecret),
  { execute: [client.allowInsecureRequests] },
)

async function arrive(parameters) {
  const url = client.buildAuthorizationUrl(config, { redirect_uri: redirectUri, ...parameters })
  console.log(JSON.stringify({ authorize: url.href }))
  const { url: reached, form } = JSON.parse((await lines.next()).value)
  if (!Object.keys(form).length) return new URL(reached)
  const body = new URLSearchParams(form)
  return new Request(reached, { method: 'POST', body })
}

async function code() {
  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  const nonce = client.randomNonce()
  const callback = await arrive({
    scope: 'openid profile email offline_access',
    prompt: 'consent',
    max_age: '600', // asks for auth_time, too
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  })
  const tokens = await client.authorizationCodeGrant(config, callback, {
    pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true, maxAge: 600,
  })
  const claims = tokens.claims()
  const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub)
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token)
  return {
    claims, userinfo,
    refreshed: refreshed.claims() ?? null,
    rotated: refreshed.refresh_token !== tokens.refresh_token,
    scope: tokens.scope,
  }
}

async function hybrid(responseMode) {
  client.useCodeIdTokenResponseType(config)
  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  const nonce = client.randomNonce()
  const callback = await arrive({
    scope: 'openid email',
    response_mode: responseMode,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  })
  const posted = callback instanceof Request
  const tokens = await client.authorizationCodeGrant(config, callback, {
    pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce,
  })
  const claims = tokens.claims()
  return { posted, claims, userinfo: await client.fetchUserInfo(config, tokens.access_token, claims.sub) }
}

async function implicit() {
  client.useIdTokenResponseType(config)
  const nonce = client.randomNonce()
  const state = client.randomState()
  const callback = await arrive({ scope: 'openid email', response_mode: 'form_post', state, nonce })
  return { claims: await client.implicitAuthentication(config, callback, nonce, { expectedState: state }) }
}

const flows = { code, implicit, fragment: () => hybrid('fragment'), form_post: () => hybrid('form_post') }
console.log(JSON.stringify(await flows[flow]()))
process.exit(0)
