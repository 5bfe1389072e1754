// Publishes as a tracker would, with MQTT.js. Usage: publish.js url mqtt3|mqtt5
const mqtt = require('mqtt')
const readline = require('readline')

const [url, version] = process.argv.slice(2)

async function main() {
  const client = await mqtt.connectAsync(url, {
    clientId: 'javascript', username: 'van', password: 'v4n', protocolVersion: version === 'mqtt5' ? 5 : 4, reconnectPeriod: 0,
  })
  const heard = new Promise(resolve => client.once('message', (_topic, payload) => resolve(payload.toString())))
  await client.subscribeAsync('fleet/acme/van/cmd', { qos: 1 })
  for (let qos = 0; qos < 3; qos++) {
    for (let number = 0; number < 50; number++) await client.publishAsync('fleet/acme/van/fix', `${version} ${qos} ${number}`, { qos })
  }
  console.log('published')
  const lines = readline.createInterface({ input: process.stdin })
  await new Promise(resolve => lines.once('line', resolve)) // until the test has sent its command
  console.log('heard', await heard)
  lines.close()
  await client.endAsync()
}

main().catch(cause => {
  console.error(cause)
  process.exit(1)
})
