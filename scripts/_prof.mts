import { buildScript } from '../packages/vite-plugin/src/bundle-script.ts'
import { inlineScripts } from '../packages/vite-plugin/src/inline-worker.ts'
import { gzipSync } from 'node:zlib'
import path from 'node:path'
const first = path.resolve('packages/executor/src/web/sandbox-worker.ts')
const opts = {isProduction:true, minify:true}
const nested = inlineScripts(opts, ()=>{})
const alone = await buildScript({first}, opts, {format:'esm', codeSplitting:false}, nested)
console.log('alone', gzipSync(alone.chunks[0]!.code).length)
const inFirst = new Set(alone.chunks.flatMap(c=>Object.keys(c.modules)))
const r = await buildScript({first, second: first.replace('.ts','-second.ts')}, opts, {format:'esm', entryFileNames:'[name].js', codeSplitting:{groups:[{name:'first', test:(id:string)=>inFirst.has(id)}]}}, nested)
for (const chunk of r.chunks) {
console.log(chunk.fileName, chunk.code.length, gzipSync(chunk.code).length)
const mods = Object.entries(chunk.modules).map(([id,m])=>[path.relative(process.cwd(),id), m.renderedLength, m.code? gzipSync(m.code).length:0, alone.chunks[0]!.modules[id]?.renderedLength ?? 0] as const).filter(m=>m[1]>0).sort((a,b)=>b[1]-a[1])
for (const m of mods) console.log(String(m[1]).padStart(7), String(m[3]).padStart(7), String(m[2]).padStart(6), m[0])
if (process.env.OUT) (await import('node:fs')).writeFileSync(process.env.OUT+chunk.fileName, chunk.code)
}
