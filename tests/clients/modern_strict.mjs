// oauth4webapi, which judges every message by itself: pushed requests, JARM, DPoP with the server's nonces, a signed
// introspection response, and the refusals of a device that asks too soon. Arguments as of modern.mjs.
import * as oauth from 'oauth4webapi'
import { createInterface } from 'node:readline'

const { issuer, clientId, jwk, redirectUri, flow } = JSON.parse(process.argv[2])
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const insecure = { [oauth.allowInsecureRequests]: true }
const as = await oauth.processDiscoveryResponse(
  new URL(issuer), await oauth.discoveryRequest(new URL(issuer), insecure))

async function ask(what) {
  console.log(JSON.stringify({ authorize: '', ...what }))
  return JSON.parse((await lines.next()).value)
}

async function bank() {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  const key = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['sign'])
  const auth = oauth.PrivateKeyJwt({ key, kid: jwk.kid })
  const client = { client_id: clientId }
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
  const options = { ...insecure, DPoP }
  const verifier = oauth.generateRandomCodeVerifier()
  const sent = { state: oauth.generateRandomState(), nonce: oauth.generateRandomNonce() }
  const request = await oauth.issueRequestObject(as, client, new URLSearchParams({
    response_type: 'code', response_mode: 'jwt', redirect_uri: redirectUri, scope: 'openid email',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...sent,
  }), { key, kid: jwk.kid })
  const nonces = []
  // The first answer brings the nonce, the second try has it.
  async function again(call) {
    try { return await call() } catch (error) {
      if (!oauth.isDPoPNonceError(error)) throw error
      nonces.push(error.error ?? 'challenge')
      return call()
    }
  }
  const pushed = await again(async () => oauth.processPushedAuthorizationResponse(
    as, client, await oauth.pushedAuthorizationRequest(as, client, auth, { request }, options)))
  const url = new URL(as.authorization_endpoint)
  url.searchParams.set('client_id', clientId)
  url.searchParams.set('request_uri', pushed.request_uri)
  const { url: reached } = await ask({ authorize: url.href })
  const params = await oauth.validateJwtAuthResponse(as, client, new URL(reached), sent.state, insecure)
  const tokens = await again(async () => oauth.processAuthorizationCodeResponse(
    as, client,
    await oauth.authorizationCodeGrantRequest(as, client, auth, params, redirectUri, verifier, options),
    { expectedNonce: sent.nonce, requireIdToken: true }))
  const claims = oauth.getValidatedIdTokenClaims(tokens)
  const userinfo = await again(async () => oauth.processUserInfoResponse(
    as, client, claims.sub, await oauth.userInfoRequest(as, client, tokens.access_token, options)))
  const asked = await oauth.introspectionRequest(
    as, client, auth, tokens.access_token, { ...insecure, requestJwtResponse: true })
  const kind = asked.headers.get('content-type')
  const told = await oauth.processIntrospectionResponse(as, client, asked)
  await oauth.validateApplicationLevelSignature(as, asked, insecure)
  return { expiresIn: pushed.expires_in, tokenType: tokens.token_type, nonces, claims, userinfo, kind, told }
}

async function device() {
  const client = { client_id: clientId }
  const auth = oauth.None()
  const started = await oauth.processDeviceAuthorizationResponse(as, client, await oauth.deviceAuthorizationRequest(
    as, client, auth, { scope: 'openid' }, insecure))
  async function poll() {
    try {
      return await oauth.processDeviceCodeResponse(as, client, await oauth.deviceCodeGrantRequest(
        as, client, auth, started.device_code, insecure))
    } catch (error) {
      return { error: error.error }
    }
  }
  const early = (await poll()).error
  const sooner = (await poll()).error
  await ask({ authorize: started.verification_uri_complete, code: started.user_code, deny: true })
  return { early, sooner, denied: (await poll()).error }
}

try {
  console.log(JSON.stringify(await { bank, device }[flow]()))
  process.exit(0)
} catch (error) {
  console.error(error, error.cause)
  process.exit(1)
}
