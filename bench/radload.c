/* A RADIUS load generator: a fixed number of requests in flight (or a fixed rate), every reply verified.
 *
 * It keeps `window` requests under way over one socket per source address, checks Response Authenticator and
 * Message-Authenticator of each reply, and prints one line of JSON. Traffic goes to loopback only. MD5 is RFC 1321,
 * HMAC RFC 2104, packets RFC 2865/2866/3579. Build: cc -O2 -o radload radload.c
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

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

/* ---- the run ---- */
typedef struct { char login[64], password[64]; } user_t;
typedef struct { double sent_at; uint8_t auth[16]; int busy; int user; int len, tries; uint8_t packet[512]; } slot_t;
typedef struct { int fd; struct in_addr addr; slot_t slot[256]; int next; int flying; } source_t;
static char secret[64] = "testing123"; static size_t secret_len;
static user_t *users; static int n_users;
static source_t *sources; static int n_sources;
static int accounting, chap, status_type = 1; static long count = 10000, window = 32; static double rate = 0, timeout_s = 2, duration = 0;
static int retries = 3; static long base_session = 0, cycle = 0, first_user = 0; static int check_unique = 0; static int want_rate = 1;
static long sent, accepted, rejected, lost, bad, late, resent, duplicates; static float *latency; static long n_latency;
static uint8_t *seen_address;

static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec / 1e9; }
static uint64_t rng_state = 88172645463325252ull;
static uint64_t rng(void) { rng_state ^= rng_state << 13; rng_state ^= rng_state >> 7; rng_state ^= rng_state << 17; return rng_state; }
static int put(uint8_t *p, int at, uint8_t type, const void *value, int len) { p[at] = type; p[at + 1] = len + 2; memcpy(p + at + 2, value, len); return at + 2 + len; }
static int put_int(uint8_t *p, int at, uint8_t type, uint32_t value) { value = htonl(value); return put(p, at, type, &value, 4); }

static void build(source_t *s, int id, long number) {
  slot_t *q = &s->slot[id]; uint8_t *p = q->packet; int at = 20; char text[64]; md5_t m;
  long round = cycle ? number / cycle : 0; if (cycle) number %= cycle; /* the same sessions, again and again */
  q->user = (first_user + number) % n_users; user_t *u = &users[q->user]; p[0] = accounting ? 4 : 1; p[1] = id; q->tries = 0;
  for (int i = 0; i < 2; i++) { uint64_t r = rng(); memcpy(p + 4 + 8 * i, &r, 8); }
  int ma = 0;
  if (!accounting) { p[at] = 80; p[at + 1] = 18; memset(p + at + 2, 0, 16); ma = at + 2; at += 18; }
  at = put(p, at, 1, u->login, strlen(u->login));
  if (!accounting && !chap) {
    uint8_t pass[16] = {0}, pad[16]; memcpy(pass, u->password, strlen(u->password) > 16 ? 16 : strlen(u->password));
    md5_init(&m); md5_add(&m, secret, secret_len); md5_add(&m, p + 4, 16); md5_end(&m, pad);
    for (int i = 0; i < 16; i++) pass[i] ^= pad[i]; at = put(p, at, 2, pass, 16);
  } else if (!accounting) {
    uint8_t value[17]; value[0] = id; md5_init(&m); md5_add(&m, value, 1); md5_add(&m, u->password, strlen(u->password));
    md5_add(&m, p + 4, 16); md5_end(&m, value + 1); at = put(p, at, 3, value, 17);
  }
  at = put(p, at, 4, &s->addr, 4); at = put_int(p, at, 5, q->user); at = put_int(p, at, 61, 15);
  at = put_int(p, at, 6, 2); at = put_int(p, at, 7, 1);
  snprintf(text, sizeof text, "02:%02x:%02x:%02x:%02x:%02x", 0, (int)(q->user >> 24 & 255), (int)(q->user >> 16 & 255), (int)(q->user >> 8 & 255), (int)(q->user & 255));
  at = put(p, at, 31, text, strlen(text)); at = put(p, at, 30, "pppoe-bench", 11);
  snprintf(text, sizeof text, "81%08lx", base_session + number); at = put(p, at, 44, text, strlen(text));
  if (accounting) {
    uint32_t ip = htonl(0x0a400000u + (uint32_t)((base_session + number) % 4000000)); at = put_int(p, at, 40, status_type); at = put(p, at, 8, &ip, 4); at = put_int(p, at, 41, 0);
    if (status_type != 1) { at = put_int(p, at, 46, 300 * (round + 1)); at = put_int(p, at, 42, 1000000 * (round + 1)); at = put_int(p, at, 43, 9000000 * (round + 1)); }
  }
  p[2] = at >> 8; p[3] = at & 255; q->len = at;
  if (accounting) { memset(p + 4, 0, 16); md5_init(&m); md5_add(&m, p, at); md5_add(&m, secret, secret_len); md5_end(&m, p + 4); }
  else { uint8_t mac[16]; hmac(p, at, mac); memcpy(p + ma, mac, 16); }
  memcpy(q->auth, p + 4, 16);
}

static int verify(source_t *s, slot_t *q, uint8_t *p, int len) {
  uint8_t digest[16], keep[16]; md5_t m; int has_ip = 0, has_rate = 0; uint32_t ip = 0;
  (void)s; if (len < 20 || ((p[2] << 8) | p[3]) != len) return 0;
  md5_init(&m); md5_add(&m, p, 4); md5_add(&m, q->auth, 16); md5_add(&m, p + 20, len - 20); md5_add(&m, secret, secret_len); md5_end(&m, digest);
  if (memcmp(digest, p + 4, 16)) return 0;
  for (int at = 20; at + 2 <= len;) {
    int l = p[at + 1]; if (l < 2 || at + l > len) return 0;
    if (p[at] == 8) { has_ip = 1; memcpy(&ip, p + at + 2, 4); }
    if (p[at] == 26 && l > 8) has_rate = 1;
    if (p[at] == 80 && l == 18) { memcpy(keep, p + at + 2, 16); memset(p + at + 2, 0, 16); memcpy(p + 4, q->auth, 16); hmac(p, len, digest); if (memcmp(digest, keep, 16)) return 0; }
    at += l;
  }
  if (p[0] == 2) { accepted++; if (!has_ip || (want_rate && !has_rate)) return 0;
    if (check_unique) { uint32_t h = ntohl(ip) & 0xffffff; if (seen_address[h]) duplicates++; seen_address[h] = 1; } }
  else if (p[0] == 3) rejected++; else if (p[0] == 5) accepted++; else return 0;
  return 1;
}

static int by_value(const void *a, const void *b) { float x = *(const float *)a, y = *(const float *)b; return x < y ? -1 : x > y; }

int main(int argc, char **argv) {
  char *source_list = "127.0.0.1", *user_file = NULL; int port = 1812, opt; struct sockaddr_in server = {.sin_family = AF_INET};
  while ((opt = getopt(argc, argv, "ACI:S:p:s:u:n:w:r:t:R:d:b:m:f:UN")) != -1) switch (opt) {
    case 'A': accounting = 1; break; case 'C': chap = 1; break; case 'I': status_type = atoi(optarg); break;
    case 'S': source_list = optarg; break; case 'p': port = atoi(optarg); break; case 's': snprintf(secret, sizeof secret, "%s", optarg); break;
    case 'u': user_file = optarg; break; case 'n': count = atol(optarg); break; case 'w': window = atol(optarg); break;
    case 'r': rate = atof(optarg); break; case 't': timeout_s = atof(optarg); break; case 'R': retries = atoi(optarg); break;
    case 'd': duration = atof(optarg); break; case 'b': base_session = atol(optarg); break; case 'm': cycle = atol(optarg); break; case 'f': first_user = atol(optarg); break; case 'U': check_unique = 1; break; case 'N': want_rate = 0; break;
    default: fprintf(stderr, "usage: radload -u users -S addr,addr -p port -s secret [-A [-I type]] [-C] -n count -w window [-r rate] [-t timeout] [-R retries]\n"); return 2; }
  secret_len = strlen(secret); hmac_key(secret); rng_state ^= (uint64_t)getpid() << 32 ^ (uint64_t)time(NULL); seen_address = calloc(1 << 24, 1);
  FILE *f = fopen(user_file ? user_file : "/dev/null", "r"); if (!f) { perror(user_file); return 2; }
  users = malloc(sizeof(user_t) * 2000000); while (n_users < 2000000 && fscanf(f, "%63s %63s", users[n_users].login, users[n_users].password) == 2) n_users++;
  if (!n_users) { fprintf(stderr, "no users\n"); return 2; }
  sources = calloc(64, sizeof *sources); server.sin_port = htons(port); inet_pton(AF_INET, "127.0.0.1", &server.sin_addr);
  for (char *a = strtok(strdup(source_list), ","); a && n_sources < 64; a = strtok(NULL, ",")) {
    source_t *s = &sources[n_sources++]; struct sockaddr_in me = {.sin_family = AF_INET}; int big = 4 << 20;
    if (inet_pton(AF_INET, a, &me.sin_addr) != 1 || (ntohl(me.sin_addr.s_addr) >> 24) != 127) { fprintf(stderr, "%s: only loopback addresses\n", a); return 2; }
    s->addr = me.sin_addr; s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0); setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof big);
    if (bind(s->fd, (void *)&me, sizeof me) || connect(s->fd, (void *)&server, sizeof server)) { perror(a); return 2; }
  }
  latency = malloc(sizeof(float) * (count + 1)); double start = now(), next_send = start, last_sweep = start; long done = 0, flying = 0; int turn = 0;
  struct pollfd polls[64]; for (int i = 0; i < n_sources; i++) polls[i] = (struct pollfd){sources[i].fd, POLLIN, 0};
  while (done < count) {
    double t = now(); if (duration > 0 && t - start > duration) count = sent;
    while (sent < count && flying < window && (rate <= 0 || t >= next_send)) {
      source_t *s = &sources[turn++ % n_sources]; int id = -1;
      for (int i = 0; i < 256; i++) { int c = (s->next + i) & 255; if (!s->slot[c].busy) { id = c; break; } }
      if (id < 0) break;
      s->next = id + 1; build(s, id, sent); s->slot[id].busy = 1; s->slot[id].sent_at = t; if (send(s->fd, s->slot[id].packet, s->slot[id].len, 0) < 0 && errno != EAGAIN) { perror("send"); return 1; }
      sent++; flying++; s->flying++; if (rate > 0) next_send += 1 / rate; t = now();
    }
    double wait = rate > 0 && sent < count ? (next_send - t) * 1000 : 50; if (flying >= window) wait = 50; int ms = wait <= 0 ? 0 : wait < 1 ? 0 : (int)wait;
    if (poll(polls, n_sources, ms) > 0) for (int i = 0; i < n_sources; i++) if (polls[i].revents) {
      uint8_t p[4096]; int len; source_t *s = &sources[i];
      while ((len = recv(s->fd, p, sizeof p, 0)) > 0) {
        slot_t *q = &s->slot[p[1]]; if (!q->busy) { late++; continue; }
        if (!verify(s, q, p, len)) { bad++; }
        latency[n_latency++] = (now() - q->sent_at) * 1e6; q->busy = 0; flying--; s->flying--; done++;
      }
    }
    t = now();
    if (t - last_sweep > 0.05) { last_sweep = t;
      for (int i = 0; i < n_sources; i++) for (int j = 0; j < 256; j++) { slot_t *q = &sources[i].slot[j];
        if (q->busy && t - q->sent_at > timeout_s * (q->tries + 1)) { if (q->tries < retries) { q->tries++; resent++; if (send(sources[i].fd, q->packet, q->len, 0) < 0) {} }
          else { q->busy = 0; flying--; sources[i].flying--; lost++; done++; } } } }
    if (done >= sent && sent >= count) break;
  }
  double seconds = now() - start; qsort(latency, n_latency, sizeof(float), by_value);
  printf("{\"sent\": %ld, \"accepted\": %ld, \"rejected\": %ld, \"lost\": %ld, \"bad\": %ld, \"late\": %ld, \"resent\": %ld, \"duplicate_addresses\": %ld, \"seconds\": %.3f, \"per_s\": %.0f, \"p50_us\": %.0f, \"p99_us\": %.0f}\n",
    sent, accepted, rejected, lost, bad, late, resent, duplicates, seconds, (done - lost) / seconds, n_latency ? latency[n_latency / 2] : 0, n_latency ? latency[(long)(n_latency * 0.99)] : 0);
  return 0;
}
