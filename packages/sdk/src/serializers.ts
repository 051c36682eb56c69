import { SerializerRegistry } from '@shoal/protocol'
import type { ClassOf, Serializer } from '@shoal/protocol'

/** The page's; in a worker each remote module has one of its own. */
export const pageSerializers = new SerializerRegistry()

/**
 * Lets instances of a class be sent: as arguments, results and with `put`. It must run on both sides, so write it beside
 * the class, in a file that the page and the remote module import. Without `serialize` and `deserialize` an instance
 * travels as its own enumerable fields and is made without calling the constructor; a class with `#private` fields needs
 * both functions. Only instances of the class itself are meant: register each subclass too.
 *
 * @throws TypeError when another class has that name, the class another name, or it needs no serializer.
 * @example
 * export class Vector {
 *   constructor(readonly x: number, readonly y: number) {}
 *   length() { return Math.hypot(this.x, this.y) }
 * }
 * registerSerializer(Vector, { name: 'Vector' })
 *
 * registerSerializer(URL, {
 *   name: 'URL',
 *   serialize: (url) => url.href,
 *   deserialize: (href: string) => new URL(href),
 * })
 */
export function registerSerializer<T extends object, D>(Class: ClassOf<T>, serializer: Serializer<T, D>): void {
  pageSerializers.registerSerializer(Class, serializer)
}

/**
 * Forgets a class that was given to `registerSerializer` or `registerError`. False when it was not registered.
 *
 * @example
 * // Where a module is updated in place: the new class takes the old one's name.
 * class Point { x = 0 }
 * registerSerializer(Point, { name: 'Point' })
 * console.log(deregisterSerializer(Point)) // true
 */
export function deregisterSerializer(Class: ClassOf<object>): boolean {
  return pageSerializers.deregisterSerializer(Class)
}

/**
 * Lets an error that a task throws be made again as its own class: it is the `cause` of the TaskError that `get` rejects
 * with, and the TaskError is an instance of it too. Like `registerSerializer` it must run on both sides. The
 * constructor is not called; message, stack, cause and enumerable fields are kept. Errors of unregistered classes
 * arrive as the built-in that they extend.
 *
 * @throws TypeError when another class has that name, the class another name, or it does not extend Error.
 * @example
 * export class OutOfRange extends Error { limit = 10 }
 * registerError(OutOfRange, 'OutOfRange')
 */
export function registerError<T extends Error>(Class: ClassOf<T>, name: string): void {
  pageSerializers.registerError(Class, name)
}
