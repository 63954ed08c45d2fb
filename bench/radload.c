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

#include "packet.h"

/* ---- the run ---- */
typedef struct { char login[64], password[64]; } user_t;
typedef struct { double sent_at; uint8_t auth[16]; int busy; int user; int len, tries; uint8_t packet[512]; } slot_t;
typedef struct { int fd; struct in_addr addr; slot_t slot[256]; int next; int flying; } source_t;
static user_t *users; static int n_users;
static source_t *sources; static int n_sources;
static int accounting, chap, status_type = 1; static long count = 10000, window = 32; static double rate = 0, timeout_s = 2, duration = 0;
static int retries = 3; static long base_session = 0, cycle = 0, first_user = 0; static int check_unique = 0; static int want_rate = 1;
static long sent, accepted, rejected, lost, bad, late, resent, duplicates; static float *latency; static long n_latency;
static uint8_t *seen_address;

static void build(source_t *s, int id, long number) {
  slot_t *q = &s->slot[id]; uint8_t *p = q->packet; int at = 20; char text[64]; md5_t m;
  long round = cycle ? number / cycle : 0; if (cycle) number %= cycle; /* the same sessions, again and again */
  q->user = (first_user + number) % n_users; user_t *u = &users[q->user]; p[0] = accounting ? 4 : 1; p[1] = id; q->tries = 0;
  for (int i = 0; i < 2; i++) { uint64_t r = rng(); memcpy(p + 4 + 8 * i, &r, 8); }
  int ma = 0;
  if (!accounting) { p[at] = 80; p[at + 1] = 18; memset(p + at + 2, 0, 16); ma = at + 2; at += 18; }
  at = put(p, at, 1, u->login, strlen(u->login));
  if (!accounting && !chap) {
    uint8_t pass[16] = {0}; memcpy(pass, u->password, strlen(u->password) > 16 ? 16 : strlen(u->password));
    hide(pass, p + 4); at = put(p, at, 2, pass, 16);
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
  q->len = at; sign_request(p, at, ma);
  memcpy(q->auth, p + 4, 16);
}

static int verify(source_t *s, slot_t *q, uint8_t *p, int len) {
  uint8_t digest[16], keep[16]; int has_ip = 0, has_rate = 0; uint32_t ip = 0;
  (void)s; if (len < 20 || ((p[2] << 8) | p[3]) != len) return 0;
  if (!authentic(p, len, q->auth)) return 0;
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
    double wait = rate > 0 && sent < count ? (next_send - t) * 1000 : 50; if (flying >= window) wait = 50; if (wait < 0) wait = 0;
    struct timespec rest = {(time_t)(wait / 1000), (long)((wait - (long)(wait / 1000) * 1000) * 1e6)}; /* not spinning: the processor is the servers' */
    if (ppoll(polls, n_sources, &rest, NULL) > 0) for (int i = 0; i < n_sources; i++) if (polls[i].revents) {
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
