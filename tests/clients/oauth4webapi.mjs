// oauth4webapi against a running provider, call by call as its users write them: every response is judged by the
// library. Argument: settings as JSON. Authorization URLs are printed, their answers read, the result printed last.
import * as oauth from 'oauth4webapi'
import { createInterface } from 'node:readline'

const { issuer, clientId, clientSecret, redirectUri, flow } = JSON.parse(process.argv[2])
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const insecure = { [oauth.allowInsecureRequests]: true }
const identifier = new URL(issuer)
const as = await oauth.processDiscoveryResponse(identifier, await oauth.discoveryRequest(identifier, insecure))
const client = { client_id: clientId }
const auth = oauth.ClientSecretBasic(clientSecret)

async function authorize(parameters) {
  const sent = {
    state: oauth.generateRandomState(), nonce: oauth.generateRandomNonce(), verifier: oauth.generateRandomCodeVerifier(),
  }
  const url = new URL(as.authorization_endpoint)
  const query = {
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    state: sent.state,
    nonce: sent.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(sent.verifier),
    code_challenge_method: 'S256',
    ...parameters,
  }
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  console.log(JSON.stringify({ authorize: url.href }))
  return { ...sent, callback: new URL(JSON.parse((await lines.next()).value).url) }
}

function redeem(params, verifier, by = auth) {
  return oauth.authorizationCodeGrantRequest(as, client, by, params, redirectUri, verifier, insecure)
}

// What the library makes of an answer: the error that it raises, by its class and members.
async function refusal(answer) {
  try {
    await answer()
  } catch (error) {
    const challenge = error.cause?.[0]?.parameters
    return {
      type: error.constructor.name, code: error.code, message: error.message,
      error: error.error ?? challenge?.error, status: error.status ?? error.response?.status,
    }
  }
  return null
}

async function complete() {
  const sent = await authorize({ scope: 'openid profile email offline_access', prompt: 'consent' })
  const params = oauth.validateAuthResponse(as, client, sent.callback, sent.state)
  const answer = await redeem(params, sent.verifier)
  const options = { expectedNonce: sent.nonce, requireIdToken: true }
  // The library reads the body once; the signature is judged from the kept response.
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, answer, options)
  await oauth.validateApplicationLevelSignature(as, answer, insecure)
  const claims = oauth.getValidatedIdTokenClaims(tokens)
  const told = await oauth.userInfoRequest(as, client, tokens.access_token, insecure)
  const userinfo = await oauth.processUserInfoResponse(as, client, claims.sub, told)
  const again = await oauth.refreshTokenGrantRequest(as, client, auth, tokens.refresh_token, insecure)
  const refreshed = await oauth.processRefreshTokenResponse(as, client, again)

  const without = new URL(sent.callback)
  without.searchParams.delete('iss')
  const other = new URL(sent.callback)
  other.searchParams.set('iss', `${issuer}/`)
  const result = {
    claims, userinfo, scope: tokens.scope, tokenType: tokens.token_type,
    rotated: refreshed.refresh_token !== tokens.refresh_token,
    issSupported: as.authorization_response_iss_parameter_supported,
    withoutIss: await refusal(async () => oauth.validateAuthResponse(as, client, without, sent.state)),
    otherIss: await refusal(async () => oauth.validateAuthResponse(as, client, other, sent.state)),
  }
  const revoked = await oauth.revocationRequest(as, client, auth, refreshed.refresh_token, insecure)
  await oauth.processRevocationResponse(revoked)
  result.afterRevocation = await refusal(async () => oauth.processRefreshTokenResponse(
    as, client, await oauth.refreshTokenGrantRequest(as, client, auth, refreshed.refresh_token, insecure)))
  return result
}

async function denied() {
  const sent = await authorize({ scope: 'openid email', prompt: 'consent' })
  return { denied: await refusal(async () => oauth.validateAuthResponse(as, client, sent.callback, sent.state)) }
}

async function refused() {
  const result = {}
  const silent = await authorize({ scope: 'openid', prompt: 'none' })
  result.silent = await refusal(async () => oauth.validateAuthResponse(as, client, silent.callback, silent.state))
  const unknown = await authorize({ scope: 'openid', request: 'no.object.here' })
  result.request = await refusal(async () => oauth.validateAuthResponse(as, client, unknown.callback, unknown.state))
  const sent = await authorize({ scope: 'openid' })
  const params = oauth.validateAuthResponse(as, client, sent.callback, sent.state)
  const wrong = oauth.ClientSecretBasic(`${clientSecret}x`)
  const process = (answer) => oauth.processAuthorizationCodeResponse(as, client, answer)
  result.wrongSecret = await refusal(async () => process(await redeem(params, sent.verifier, wrong)))
  // A person who knows Basic from elsewhere does not encode: what the library must not do, and what must not work.
  const raw = (_as, { client_id }, _body, headers) =>
    headers.set('authorization', `Basic ${btoa(`${client_id}:${clientSecret}`)}`)
  result.rawSecret = await refusal(async () => process(await redeem(params, sent.verifier, raw)))
  const tokens = await oauth.processAuthorizationCodeResponse(
    as, client, await redeem(params, sent.verifier), { expectedNonce: sent.nonce })
  result.replay = await refusal(async () => process(await redeem(params, sent.verifier)))
  result.afterReplay = await refusal(async () => oauth.processUserInfoResponse(
    as, client, oauth.skipSubjectCheck, await oauth.userInfoRequest(as, client, tokens.access_token, insecure)))
  return result
}

console.log(JSON.stringify(await { complete, denied, refused }[flow]()))
process.exit(0)
