/* What the generators radload.c and storm.c share: MD5 (RFC 1321), HMAC (RFC 2104), attributes, clock, random numbers.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

/* ---- MD5 ---- */
typedef struct { uint32_t h[4]; uint64_t n; uint8_t buf[64]; } md5_t;
static const uint32_t K[64] = {
0xd76aa478,0xe8c7b756,0x242070db,0xc1bdceee,0xf57c0faf,0x4787c62a,0xa8304613,0xfd469501,0x698098d8,0x8b44f7af,0xffff5bb1,0x895cd7be,0x6b901122,0xfd987193,0xa679438e,0x49b40821,
0xf61e2562,0xc040b340,0x265e5a51,0xe9b6c7aa,0xd62f105d,0x02441453,0xd8a1e681,0xe7d3fbc8,0x21e1cde6,0xc33707d6,0xf4d50d87,0x455a14ed,0xa9e3e905,0xfcefa3f8,0x676f02d9,0x8d2a4c8a,
0xfffa3942,0x8771f681,0x6d9d6122,0xfde5380c,0xa4beea44,0x4bdecfa9,0xf6bb4b60,0xbebfbc70,0x289b7ec6,0xeaa127fa,0xd4ef3085,0x04881d05,0xd9d4d039,0xe6db99e5,0x1fa27cf8,0xc4ac5665,
0xf4292244,0x432aff97,0xab9423a7,0xfc93a039,0x655b59c3,0x8f0ccc92,0xffeff47d,0x85845dd1,0x6fa87e4f,0xfe2ce6e0,0xa3014314,0x4e0811a1,0xf7537e82,0xbd3af235,0x2ad7d2bb,0xeb86d391};
static const uint8_t R[64] = {7,12,17,22,7,12,17,22,7,12,17,22,7,12,17,22,5,9,14,20,5,9,14,20,5,9,14,20,5,9,14,20,
4,11,16,23,4,11,16,23,4,11,16,23,4,11,16,23,6,10,15,21,6,10,15,21,6,10,15,21,6,10,15,21};
static void md5_block(md5_t *m, const uint8_t *p) {
  uint32_t w[16], a = m->h[0], b = m->h[1], c = m->h[2], d = m->h[3];
  memcpy(w, p, 64);
  for (int i = 0; i < 64; i++) {
    uint32_t f; int g;
    if (i < 16) { f = (b & c) | (~b & d); g = i; }
    else if (i < 32) { f = (d & b) | (~d & c); g = (5 * i + 1) & 15; }
    else if (i < 48) { f = b ^ c ^ d; g = (3 * i + 5) & 15; }
    else { f = c ^ (b | ~d); g = (7 * i) & 15; }
    f += a + K[i] + w[g]; a = d; d = c; c = b; b += (f << R[i]) | (f >> (32 - R[i]));
  }
  m->h[0] += a; m->h[1] += b; m->h[2] += c; m->h[3] += d;
}
static void md5_init(md5_t *m) { m->h[0] = 0x67452301; m->h[1] = 0xefcdab89; m->h[2] = 0x98badcfe; m->h[3] = 0x10325476; m->n = 0; }
static void md5_add(md5_t *m, const void *data, size_t len) {
  const uint8_t *p = data; size_t have = m->n & 63; m->n += len;
  if (have) { size_t take = 64 - have < len ? 64 - have : len; memcpy(m->buf + have, p, take); p += take; len -= take;
    if (have + take < 64) return; md5_block(m, m->buf); }
  while (len >= 64) { md5_block(m, p); p += 64; len -= 64; }
  memcpy(m->buf, p, len);
}
static void md5_end(md5_t *m, uint8_t out[16]) {
  uint64_t bits = m->n * 8; uint8_t one = 0x80, zero = 0;
  md5_add(m, &one, 1); while ((m->n & 63) != 56) md5_add(m, &zero, 1);
  md5_add(m, &bits, 8); memcpy(out, m->h, 16);
}
static md5_t inner0, outer0;
static void hmac_key(const char *secret) {
  uint8_t k[64] = {0}, i, pad[64]; memcpy(k, secret, strlen(secret) > 64 ? 64 : strlen(secret));
  for (i = 0; i < 64; i++) pad[i] = k[i] ^ 0x36; md5_init(&inner0); md5_add(&inner0, pad, 64);
  for (i = 0; i < 64; i++) pad[i] = k[i] ^ 0x5c; md5_init(&outer0); md5_add(&outer0, pad, 64);
}
static void hmac(const uint8_t *data, size_t len, uint8_t out[16]) {
  md5_t m = inner0; md5_add(&m, data, len); md5_end(&m, out); m = outer0; md5_add(&m, out, 16); md5_end(&m, out);
}

/* ---- packets ---- */
static char secret[64] = "testing123"; static size_t secret_len;
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec / 1e9; }
static uint64_t rng_state = 88172645463325252ull;
static uint64_t rng(void) { rng_state ^= rng_state << 13; rng_state ^= rng_state >> 7; rng_state ^= rng_state << 17; return rng_state; }
static int put(uint8_t *p, int at, uint8_t type, const void *value, int len) { p[at] = type; p[at + 1] = len + 2; memcpy(p + at + 2, value, len); return at + 2 + len; }
static int put_int(uint8_t *p, int at, uint8_t type, uint32_t value) { value = htonl(value); return put(p, at, type, &value, 4); }
/* Response Authenticator (RFC 2865 section 3) of a reply, whose own stands in it; leaves the packet as it was. */
static int authentic(uint8_t *p, int len, const uint8_t request[16]) {
  uint8_t digest[16]; md5_t m; md5_init(&m); md5_add(&m, p, 4); md5_add(&m, request, 16); md5_add(&m, p + 20, len - 20);
  md5_add(&m, secret, secret_len); md5_end(&m, digest); return !memcmp(digest, p + 4, 16);
}
/* User-Password of up to 16 octets, hidden or revealed (RFC 2865 section 5.2). */
static void hide(uint8_t pass[16], const uint8_t request[16]) {
  uint8_t pad[16]; md5_t m; md5_init(&m); md5_add(&m, secret, secret_len); md5_add(&m, request, 16); md5_end(&m, pad);
  for (int i = 0; i < 16; i++) pass[i] ^= pad[i];
}
/* Fill in length, authenticator and, at `ma` if that is not 0, Message-Authenticator of a request. */
static void sign_request(uint8_t *p, int len, int ma) {
  md5_t m; p[2] = len >> 8; p[3] = len & 255;
  if (ma) { uint8_t mac[16]; hmac(p, len, mac); memcpy(p + ma, mac, 16); return; }
  memset(p + 4, 0, 16); md5_init(&m); md5_add(&m, p, len); md5_add(&m, secret, secret_len); md5_end(&m, p + 4);
}
