/**
 * What the extension of a file says about its media type. A table of our own: the registry's thousands of types are of no use to a server of
 * files, the hundred below are what the web sends, and none of them changes. Sources: the IANA registry and the MIME Sniffing standard.
 */
const TYPES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    // text
    'text/html': 'html htm',
    'text/css': 'css',
    'text/javascript': 'js mjs cjs', // RFC 9239
    'text/plain': 'txt text log conf ini',
    'text/csv': 'csv',
    'text/tab-separated-values': 'tsv',
    'text/markdown': 'md markdown',
    'text/calendar': 'ics ifb',
    'text/vcard': 'vcf vcard',
    'text/vtt': 'vtt',
    'text/xml': 'rng',
    'text/x-python': 'py',
    'text/x-c': 'c cc cpp h hpp',
    'text/x-rst': 'rst',
    'text/x-typescript': 'tsx',
    // structured data
    'application/json': 'json map',
    'application/ld+json': 'jsonld',
    'application/geo+json': 'geojson',
    'application/manifest+json': 'webmanifest',
    'application/jsonl': 'jsonl ndjson',
    'application/xml': 'xml xsl xsd',
    'application/xhtml+xml': 'xhtml xht',
    'application/atom+xml': 'atom',
    'application/rss+xml': 'rss',
    'application/yaml': 'yaml yml', // RFC 9512
    'application/toml': 'toml',
    'application/sql': 'sql',
    'application/wasm': 'wasm',
    'application/graphql': 'graphql gql',
    // images
    'image/png': 'png',
    'image/apng': 'apng',
    'image/jpeg': 'jpg jpeg jpe jfif',
    'image/gif': 'gif',
    'image/webp': 'webp',
    'image/avif': 'avif',
    'image/heic': 'heic',
    'image/heif': 'heif',
    'image/jxl': 'jxl',
    'image/svg+xml': 'svg svgz',
    'image/x-icon': 'ico',
    'image/bmp': 'bmp',
    'image/tiff': 'tif tiff',
    // fonts
    'font/woff2': 'woff2',
    'font/woff': 'woff',
    'font/ttf': 'ttf',
    'font/otf': 'otf',
    'font/collection': 'ttc',
    'application/vnd.ms-fontobject': 'eot',
    // sound
    'audio/mpeg': 'mp3 mpga',
    'audio/mp4': 'm4a m4b',
    'audio/aac': 'aac',
    'audio/ogg': 'oga ogg opus',
    'audio/wav': 'wav',
    'audio/webm': 'weba',
    'audio/flac': 'flac',
    'audio/midi': 'mid midi',
    // moving pictures
    'video/mp4': 'mp4 m4v',
    'video/webm': 'webm',
    'video/ogg': 'ogv',
    'video/mpeg': 'mpg mpeg',
    'video/quicktime': 'mov',
    'video/mp2t': 'ts m2ts',
    'video/x-msvideo': 'avi',
    'video/x-matroska': 'mkv',
    'video/x-flv': 'flv',
    'video/3gpp': '3gp',
    'application/vnd.apple.mpegurl': 'm3u8',
    'application/dash+xml': 'mpd',
    // documents
    'application/pdf': 'pdf',
    'application/rtf': 'rtf',
    'application/postscript': 'ps eps ai',
    'application/epub+zip': 'epub',
    'application/msword': 'doc',
    'application/vnd.ms-excel': 'xls',
    'application/vnd.ms-powerpoint': 'ppt',
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
    'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
    'application/vnd.openxmlformats-officedocument.presentationml.presentation': 'pptx',
    'application/vnd.oasis.opendocument.text': 'odt',
    'application/vnd.oasis.opendocument.spreadsheet': 'ods',
    'application/vnd.oasis.opendocument.presentation': 'odp',
    // archives and programs
    'application/zip': 'zip',
    'application/gzip': 'gz tgz',
    'application/zstd': 'zst',
    'application/x-brotli': 'br',
    'application/x-bzip2': 'bz2 tbz2',
    'application/x-xz': 'xz txz',
    'application/x-7z-compressed': '7z',
    'application/vnd.rar': 'rar',
    'application/x-tar': 'tar',
    'application/java-archive': 'jar war',
    'application/vnd.android.package-archive': 'apk',
    'application/x-apple-diskimage': 'dmg',
    'application/vnd.debian.binary-package': 'deb',
    'application/x-rpm': 'rpm',
    'application/x-iso9660-image': 'iso',
    'application/x-sh': 'sh',
    'application/octet-stream': 'bin exe dll so img msi',
    'application/x-sqlite3': 'sqlite sqlite3 db',
    // models and keys
    'model/gltf+json': 'gltf',
    'model/gltf-binary': 'glb',
    'model/stl': 'stl',
    'model/obj': 'obj',
    'application/x-x509-ca-cert': 'crt der',
    'application/x-pem-file': 'pem',
  }).flatMap(([type, extensions]) => extensions.split(' ').map((extension) => [extension, type] as const)),
);

/**
 * The media type that the extension of a file name stands for, without parameters; `undefined` when there is none or it is not known. Case
 * does not matter. Only the last extension counts: `a.tar.gz` is `application/gzip`.
 *
 * @param name A file name, or a path or URL path that ends with one.
 * @example
 * ```ts
 * mediaTypeByExtension('logo.PNG'); // 'image/png'
 * mediaTypeByExtension('LICENSE'); // undefined
 * ```
 */
export function mediaTypeByExtension(name: string): string | undefined {
  const dot = name.lastIndexOf('.');
  if (dot === -1 || dot < name.length - 12) return undefined;
  return TYPES.get(name.slice(dot + 1)) ?? TYPES.get(name.slice(dot + 1).toLowerCase());
}

/**
 * The Content-Type of a file by its name: `text/…` as UTF-8, which is what files are written in, and `application/octet-stream` for what is not
 * known, so that no browser takes it for a page.
 *
 * @param name A file name, or a path that ends with one.
 * @example
 * ```ts
 * contentTypeByName('index.html'); // 'text/html; charset=utf-8'
 * contentTypeByName('data.unknown'); // 'application/octet-stream'
 * ```
 */
export function contentTypeByName(name: string): string {
  const type = mediaTypeByExtension(name) ?? 'application/octet-stream';
  return type.startsWith('text/') ? `${type}; charset=utf-8` : type;
}
