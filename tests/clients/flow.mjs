// openid-client against a running provider: code + PKCE, UserInfo, refresh.
// Arguments: issuer, client_id, client_secret, redirect_uri. Authorization responses come on standard input,
// one URL a line, in answer to each authorization URL that is printed.
import * as client from 'openid-client'
import { createInterface } from 'node:readline'

const [issuer, clientId, clientSecret, redirectUri] = process.argv.slice(2)
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

const config = await client.discovery(
  new URL(issuer), clientId, undefined, client.ClientSecretBasic(clientSecret),
  { execute: [client.allowInsecureRequests] },
)
const verifier = client.randomPKCECodeVerifier()
const state = client.randomState()
const nonce = client.randomNonce()
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: redirectUri,
  scope: 'openid profile email offline_access',
  prompt: 'consent',
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
  nonce,
})
console.log(JSON.stringify({ authorize: url.href }))
const callback = new URL((await lines.next()).value)
const tokens = await client.authorizationCodeGrant(config, callback, {
  pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true,
})
const claims = tokens.claims()
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub)
const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token)
console.log(JSON.stringify({
  claims, userinfo,
  refreshed: refreshed.claims() ?? null,
  rotated: refreshed.refresh_token !== tokens.refresh_token,
  scope: tokens.scope,
}))
process.exit(0)
