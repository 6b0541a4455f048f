import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { createProject } from './weft.test-support.ts'

test('weft run joins a command to the running mesh for as long as it runs', async (t) => {
  const project = await createProject(t)
  await project.up()
  const names = async () => (await project.weft('get', 'all', '-o', 'name')).stdout
  const before = await names()

  await t.test('its exit code is that of the command, its identity that of its name', async () => {
    const script =
      "fetch('http://back/hello').then((answer) => { console.log(answer.status, process.env.PORT > 0); process.exit(7) })"
    const { code, stdout, stderr } = await project.weft('run', '--name', 'hello', '--', 'node', '-e', script)
    assert.equal(stdout, '403 true\n', stderr)
    assert.equal(code, 7)
    assert.equal(await names(), before)
  })

  await t.test('with a service account that a policy names, the call is let through', async () => {
    const script = "fetch('http://back/hello').then(async (answer) => console.log(await answer.text()))"
    const words = ['run', '-q', '--name', 'hello', '--service-account', 'front', '--', 'node', '-e', script]
    assert.deepEqual(await project.weft(...words), { code: 0, stdout: 'hello\n', stderr: '' })
  })

  await t.test('others see it while it runs, and a signal reaches it', async () => {
    const command = project.start('run', '--name', 'hello', '--', 'node', 'app.mjs')
    await command.untilSaid('has joined the mesh')
    assert.match(await names(), /service\/hello\nworkload\/hello-[0-9a-f]{6}/)
    command.signal('SIGTERM')
    assert.equal((await command.ended).code, 0)
    assert.equal(await names(), before)
  })

  await t.test('a command that is not there is an error of the command', async () => {
    assert.equal((await project.weft('run', '--name', 'hello', '--', '/no/such/program')).code, 127)
    assert.equal(await names(), before)
  })

  await t.test(
    'kill -9 of weft run takes sidecar and command with it, and the next run removes its folder',
    async () => {
      const left = (await project.processes()).length
      const command = project.start('run', '--name', 'hello', '--', 'node', 'app.mjs')
      await command.untilSaid('has joined the mesh')
      command.signal('SIGKILL')
      await command.ended
      for (let now = await project.processes(); now.length > left; now = await project.processes())
        assert.ok(now)

      const folders = async () =>
        (await readdir(tmpdir())).filter((name) => name.startsWith(`weft-run-${command.pid}-`))
      assert.equal((await folders()).length, 1)
      assert.equal((await project.weft('run', '--name', 'hello', '--', 'true')).code, 0)
      assert.deepEqual(await folders(), [])
    },
  )
})
