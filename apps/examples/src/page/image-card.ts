import { processPictures } from '../image-batch.ts'
import type { Picture } from '../image-batch.ts'
import source from '../image-batch.ts?raw'
import { createCard, make } from './card.ts'
import type { Card } from './card.ts'

const COUNT = 24
const SIDE = 256

export function imageCard(): Card {
  return createCard({
    id: 'images',
    title: 'Image batch',
    about: `Turns ${COUNT} pictures grey and soft, one task a picture.`,
    source,
    action: 'Process the pictures',
    async run(card) {
      const canvases = Array.from({ length: COUNT }, (_, n) => paint(n))
      const grid = make('div', { className: 'pictures' })
      grid.append(...canvases)
      card.show(grid)
      let done = 0
      await processPictures(canvases.map(read), 4, (index, picture) => {
        const canvas = canvases[index]
        if (canvas) write(canvas, picture)
        card.say(`${++done} of ${COUNT} pictures`)
      })
    },
  })
}

/** A picture to work on: coloured discs, different ones for each number. */
function paint(n: number): HTMLCanvasElement {
  const canvas = make('canvas', { width: SIDE, height: SIDE })
  canvas.setAttribute('role', 'img')
  canvas.setAttribute('aria-label', `picture ${n + 1}`)
  const context = contextOf(canvas)
  context.fillStyle = `hsl(${n * 15} 60% 85%)`
  context.fillRect(0, 0, SIDE, SIDE)
  for (let i = 0; i < 24; i++) {
    context.fillStyle = `hsl(${n * 15 + i * 40} 75% ${35 + (i % 4) * 12}%)`
    context.beginPath()
    context.arc((i * 97 + n * 31) % SIDE, (i * 61 + n * 53) % SIDE, 12 + ((i * 7) % 30), 0, 2 * Math.PI)
    context.fill()
  }
  return canvas
}

function read(canvas: HTMLCanvasElement): Picture {
  const { width, height } = canvas
  return { width, height, pixels: contextOf(canvas).getImageData(0, 0, width, height).data }
}

function write(canvas: HTMLCanvasElement, { width, height, pixels }: Picture): void {
  contextOf(canvas).putImageData(new ImageData(new Uint8ClampedArray(pixels), width, height), 0, 0)
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (context === null) throw new Error('this browser draws no pictures')
  return context
}
