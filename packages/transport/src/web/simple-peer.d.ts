// The build with its polyfills inside; bundlers need nothing else for it.
declare module 'simple-peer/simplepeer.min.js' {
  import SimplePeer = require('simple-peer')
  export default SimplePeer
}
