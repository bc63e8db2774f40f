// openid-client as the client of a bank: signed and pushed requests, signed answers, DPoP with nonces, keys instead of
// secrets; and devices without a browser. Argument: settings as JSON. What a person has to do is printed, one line of
// standard input tells that it was done; the last line printed is the result.
import * as client from 'openid-client'
import { createInterface } from 'node:readline'

const { issuer, clientId, jwk, redirectUri, flow, loginHint } = JSON.parse(process.argv[2])
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

async function privateKey() {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  return { key: await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['sign']), kid: jwk.kid }
}

async function configured(auth) {
  return client.discovery(new URL(issuer), clientId, undefined, auth, { execute: [client.allowInsecureRequests] })
}

async function ask(what) {
  console.log(JSON.stringify({ authorize: '', ...what }))
  return JSON.parse((await lines.next()).value)
}

async function bank() {
  const signing = await privateKey()
  const config = await configured(client.PrivateKeyJwt(signing))
  client.useJwtResponseMode(config)
  client.enableNonRepudiationChecks(config)
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
  const verifier = client.randomPKCECodeVerifier()
  const sent = { state: client.randomState(), nonce: client.randomNonce() }
  const signed = await client.buildAuthorizationUrlWithJAR(config, {
    redirect_uri: redirectUri,
    scope: 'openid email offline_access',
    prompt: 'consent',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...sent,
  }, signing)
  const url = await client.buildAuthorizationUrlWithPAR(config, signed.searchParams, { DPoP })
  const reached = await ask({ authorize: url.href })
  const checks = {
    pkceCodeVerifier: verifier, expectedState: sent.state, expectedNonce: sent.nonce, idTokenExpected: true,
  }
  const tokens = await client.authorizationCodeGrant(config, new URL(reached.url), checks, undefined, { DPoP })
  const claims = tokens.claims()
  const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub, { DPoP })
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP })
  const bearer = await fetch(config.serverMetadata().userinfo_endpoint, {
    headers: { authorization: `Bearer ${tokens.access_token}` },
  })
  return {
    asked: Object.fromEntries(url.searchParams),
    answered: [...new URL(reached.url).searchParams.keys()],
    tokenType: tokens.token_type,
    claims, userinfo,
    refreshed: refreshed.access_token !== tokens.access_token,
    rotated: (refreshed.refresh_token ?? tokens.refresh_token) !== tokens.refresh_token,
    asBearer: bearer.status,
    introspected: await client.tokenIntrospection(config, refreshed.access_token),
  }
}

async function device() {
  const config = await configured(client.None())
  const started = await client.initiateDeviceAuthorization(config, { scope: 'openid email' })
  await ask({ authorize: started.verification_uri_complete, code: started.user_code })
  const tokens = await client.pollDeviceAuthorizationGrant(config, { ...started, interval: 0 })
  const userinfo = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)
  return { started, claims: tokens.claims(), userinfo }
}

async function backchannel() {
  const signing = await privateKey()
  const config = await configured(client.PrivateKeyJwt(signing))
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
  const started = await client.initiateBackchannelAuthentication(config, {
    scope: 'openid email', login_hint: loginHint, binding_message: 'Till 7',
  })
  await ask({ authorize: `${issuer}/approvals`, message: 'Till 7' })
  const tokens = await client.pollBackchannelAuthenticationGrant(
    config, { ...started, interval: 0 }, undefined, { DPoP })
  return { started, claims: tokens.claims(), tokenType: tokens.token_type }
}

try {
  console.log(JSON.stringify(await { bank, device, backchannel }[flow]()))
  process.exit(0)
} catch (error) {
  console.error(error, error.cause)
  process.exit(1)
}
