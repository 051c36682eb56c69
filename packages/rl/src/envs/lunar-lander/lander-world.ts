/**
 * The bodies of LunarLander-v3 in planck, a port of Box2D: terrain, hull and two legs on motors, with Gymnasium's sizes,
 * masses and order of creation. Lengths in Box2D's metres (30 pixels of the original each), angles in rad.
 * It knows nothing of rewards or engines.
 */
import { Box, Edge, Polygon, RevoluteJoint, World } from 'planck'
import type { Body } from 'planck'

export const SCALE = 30
export const WIDTH = 600 / SCALE
export const HEIGHT = 400 / SCALE
export const HELIPAD_Y = HEIGHT / 4
export const LEG_DOWN = 18 / SCALE
export const STEPS_PER_SECOND = 50
const LEG_AWAY = 20 / SCALE
const LEG_TORQUE = 40
const LEG_SPEED = 0.3
/** Terrain corners between the left and the right edge. */
const CHUNKS = 11
/** Random numbers the terrain takes. */
export const TERRAIN_SIZE = CHUNKS + 1
const HULL: readonly (readonly [number, number])[] = [
  [-14, 17],
  [-17, 0],
  [-17, -10],
  [17, -10],
  [17, 0],
  [14, 17],
]
const HULL_CATEGORY = 0x10
const LEG_CATEGORY = 0x20
/** Hull and legs meet the ground, not each other. */
const GROUND_MASK = 0x01

/** Height of each corner, from as many random ones: flat at the helipad, elsewhere smoothed over three. */
export function terrainHeights(random: ArrayLike<number>): number[] {
  const rough = Array.from(random)
  const middle = Math.floor(CHUNKS / 2)
  for (let i = middle - 2; i <= middle + 2; i += 1) rough[i] = HELIPAD_Y
  return Array.from({ length: CHUNKS }, (_, i) => {
    const before = rough[(i + CHUNKS) % (CHUNKS + 1)]! // the one before the first is the last: Python's index -1
    return 0.33 * (before + rough[i]! + rough[i + 1]!)
  })
}

/** The ground's corners from left to right, of the random numbers the terrain takes. */
export function terrainCorners(random: ArrayLike<number>): { readonly x: number; readonly y: number }[] {
  return terrainHeights(random).map((y, i) => ({ x: (WIDTH / (CHUNKS - 1)) * i, y }))
}

export class LanderWorld {
  readonly hull: Body
  readonly legs: readonly [Body, Body]
  /** The hull touched the ground since the last reset. */
  hasCrashed = false
  /** Which legs touch the ground now, left first; the left one hangs at positive x, as in Gymnasium. */
  readonly isLegDown: [boolean, boolean] = [false, false]
  readonly #world: World

  /** `pushX`, `pushY`: a force (N) on the hull during the first step, applied before there are legs. */
  constructor(terrain: ArrayLike<number>, pushX: number, pushY: number) {
    this.#world = new World({ gravity: { x: 0, y: -10 } })
    const ground = this.#world.createBody({ type: 'static' })
    ground.createFixture(new Edge({ x: 0, y: 0 }, { x: WIDTH, y: 0 }), { density: 0, friction: 0.2 })
    const corners = terrainCorners(terrain)
    for (let i = 0; i < CHUNKS - 1; i += 1) {
      ground.createFixture(new Edge(corners[i]!, corners[i + 1]!), { density: 0, friction: 0.1 })
    }
    this.hull = this.#world.createBody({ type: 'dynamic', position: { x: WIDTH / 2, y: HEIGHT } })
    this.hull.createFixture(new Polygon(HULL.map(([x, y]) => ({ x: x / SCALE, y: y / SCALE }))), {
      density: 5,
      friction: 0.1,
      restitution: 0,
      filterCategoryBits: HULL_CATEGORY,
      filterMaskBits: GROUND_MASK,
    })
    this.hull.applyForceToCenter({ x: pushX, y: pushY }, true)
    this.legs = [this.#addLeg(-1), this.#addLeg(1)]
    this.#listen()
  }

  step(): void {
    this.#world.step(1 / STEPS_PER_SECOND, 180, 60)
  }

  #addLeg(side: -1 | 1): Body {
    const leg = this.#world.createBody({
      type: 'dynamic',
      position: { x: WIDTH / 2 - side * LEG_AWAY, y: HEIGHT },
      angle: side * 0.05,
    })
    leg.createFixture(new Box(2 / SCALE, 8 / SCALE), {
      density: 1,
      friction: 0.2,
      restitution: 0,
      filterCategoryBits: LEG_CATEGORY,
      filterMaskBits: GROUND_MASK,
    })
    const joint = new RevoluteJoint({
      bodyA: this.hull,
      bodyB: leg,
      localAnchorA: { x: 0, y: 0 },
      localAnchorB: { x: side * LEG_AWAY, y: LEG_DOWN },
      referenceAngle: 0,
      enableMotor: true,
      enableLimit: true,
      maxMotorTorque: LEG_TORQUE,
      motorSpeed: LEG_SPEED * side,
      lowerAngle: side === -1 ? 0.9 - 0.5 : -0.9,
      upperAngle: side === -1 ? 0.9 : -0.9 + 0.5,
    })
    this.#world.createJoint(joint)
    return leg
  }

  #listen(): void {
    this.#world.on('begin-contact', (contact) => {
      const bodies = [contact.getFixtureA().getBody(), contact.getFixtureB().getBody()]
      if (bodies.includes(this.hull)) this.hasCrashed = true
      this.legs.forEach((leg, i) => {
        if (bodies.includes(leg)) this.isLegDown[i] = true
      })
    })
    // As in Gymnasium, one of two contacts of a leg that ends counts as the leg being up.
    this.#world.on('end-contact', (contact) => {
      const bodies = [contact.getFixtureA().getBody(), contact.getFixtureB().getBody()]
      this.legs.forEach((leg, i) => {
        if (bodies.includes(leg)) this.isLegDown[i] = false
      })
    })
  }
}
