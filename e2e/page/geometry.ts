// Classes that page and remote module share: each imports this file, and so registers them on its own side.
import { registerError, registerSerializer } from '@shoal/sdk'

export class Vector {
  readonly x: number
  readonly y: number
  constructor(x: number, y: number) {
    this.x = x
    this.y = y
  }
  plus(other: Vector): Vector {
    return new Vector(this.x + other.x, this.y + other.y)
  }
}
registerSerializer(Vector, { name: 'Vector' })

export class OutOfRange extends RangeError {
  readonly limit: number
  constructor(limit: number) {
    super(`past ${limit}`)
    this.limit = limit
  }
  get half(): number {
    return this.limit / 2
  }
}
registerError(OutOfRange, 'OutOfRange')
