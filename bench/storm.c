/* A storm: all customers of three NASes are gone at once and come back, by the NASes' and the customers' real timers.
 *
 * First everybody logs in at his own NAS. Then "ready" is printed and a line awaited on stdin; that moment is t0. Two
 * NASes begin anew (Accounting-On), the third is dead: its customers come in over the other two. Each customer appears
 * within `-W` seconds; a NAS sends an Access-Request up to three times, 300 ms apart (RouterOS), then gives the customer
 * up, who dials again after 3 s, give or take one; so does one whose password is wrong. Accounting is sent until it is
 * acknowledged. With `-E` it is the responder instead that answers at once, to tell what the NASes need by themselves.
 * Loopback only. Build: cc -O2 -o storm storm.c
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "packet.h"

#define NASES 3
#define PORTS 16 /* sockets of a NAS, 256 identifiers each */
#define TRIES 3
#define TIMEOUT_S 0.3
#define REDIAL_S 3.0
#define TICK_S 0.01
#define TICKS 32768
#define SECONDS 240

enum { OFFLINE, ASKING, STARTING, ONLINE };
typedef struct { char login[32], password[32]; uint8_t class[64], class_len; uint32_t ip; int next, state, nas, bad; double since; } user_t;
typedef struct { int fd, nas, flying, next; struct { int user, tries, len, turn, accounting; double first_at; uint8_t packet[384]; } slot[256]; } port_t;
typedef struct { double at; int port, id, turn; } timer_t_;
typedef struct { int *ring; int head, count; } queue_t;

static user_t *users; static int n_users, dead = -1, bad_percent, auth_port = 1812, acct_port = 1813; static double spread = 30, limit_s = 120;
static port_t ports[2 * NASES * PORTS]; static queue_t waiting[2 * NASES];
static int wheel[TICKS]; static long ticked; static double t0;
static timer_t_ *timers; static long timer_head, timer_count; static long n_timers = 1 << 20;
static int *owner; static uint32_t run_id; static int storming;
static long requests, resent, gave_up, refused, rejected, duplicates, online, goods, started, late;
static int asked[SECONDS], prompt[SECONDS]; static float *latency; static long n_latency, max_latency = 1 << 22;
static char *addresses[NASES];

static double uniform(double from, double to) { return from + (to - from) * (rng() >> 11) / 9007199254740992.0; }
static int second(double t) { int s = t - t0; return s < 0 ? 0 : s >= SECONDS ? SECONDS - 1 : s; }

static void push(queue_t *q, int user) { q->ring[(q->head + q->count++) % n_users] = user; }
static int pop(queue_t *q) { int user = q->ring[q->head]; q->head = (q->head + 1) % n_users; q->count--; return user; }

/* ---- when a customer dials ---- */
static void dial_at(int user, double t) {
  long tick = (t - t0) / TICK_S; if (tick <= ticked) tick = ticked + 1; if (tick - ticked >= TICKS) tick = ticked + TICKS - 1;
  users[user].next = wheel[tick % TICKS]; wheel[tick % TICKS] = user + 1;
}
static void turn_wheel(double t) {
  while (t0 + (ticked + 1) * TICK_S <= t) { int user = wheel[++ticked % TICKS]; wheel[ticked % TICKS] = 0;
    while (user) { user_t *u = &users[user - 1]; int next = u->next; u->state = ASKING; u->since = t; push(&waiting[u->nas], user - 1); user = next; } }
}

/* ---- what a NAS sends ---- */
static int build(uint8_t *p, int id, int user, int accounting, int nas) {
  user_t *u = &users[user]; int at = 20, ma = 0; char text[64]; struct in_addr own; inet_pton(AF_INET, addresses[nas], &own);
  p[0] = accounting ? 4 : 1; p[1] = id; for (int i = 0; i < 2; i++) { uint64_t r = rng(); memcpy(p + 4 + 8 * i, &r, 8); }
  if (!accounting) { p[at] = 80; p[at + 1] = 18; memset(p + at + 2, 0, 16); ma = at + 2; at += 18; }
  at = put(p, at, 4, &own, 4); at = put_int(p, at, 61, 15);
  if (user < 0) { at = put_int(p, at, 40, 7); at = put(p, at, 44, "0", 1); sign_request(p, at, 0); return at; }
  at = put(p, at, 1, u->login, strlen(u->login)); at = put_int(p, at, 5, user); at = put_int(p, at, 6, 2); at = put_int(p, at, 7, 1);
  snprintf(text, sizeof text, "02:00:%02x:%02x:%02x:%02x", user >> 24 & 255, user >> 16 & 255, user >> 8 & 255, user & 255); at = put(p, at, 31, text, 17);
  snprintf(text, sizeof text, "%08x%08x", run_id + storming, user); at = put(p, at, 44, text, 16); at = put(p, at, 30, "pppoe-storm", 11);
  if (accounting) { at = put_int(p, at, 40, 1); at = put(p, at, 8, &u->ip, 4); at = put_int(p, at, 41, 0); if (u->class_len) at = put(p, at, 25, u->class, u->class_len); }
  else { uint8_t pass[16] = {0}; memcpy(pass, storming && u->bad ? "wrong" : u->password, strlen(storming && u->bad ? "wrong" : u->password)); hide(pass, p + 4); at = put(p, at, 2, pass, 16); }
  sign_request(p, at, ma); return at;
}
static void transmit(port_t *s, int port, int id, double t) {
  requests++; if (s->slot[id].tries++) resent++; if (send(s->fd, s->slot[id].packet, s->slot[id].len, 0) < 0) {}
  timers[(timer_head + timer_count++) % n_timers] = (timer_t_){t + TIMEOUT_S, port, id, s->slot[id].turn};
}
static void send_waiting(int line, double t, long most) {
  for (int i = 0; i < PORTS && waiting[line].count && most > 0; i++) { int port = line * PORTS + i; port_t *s = &ports[port];
    while (s->flying < 256 && waiting[line].count && most-- > 0) { int id = s->next; while (s->slot[id].user) id = (id + 1) & 255; s->next = (id + 1) & 255;
      int user = pop(&waiting[line]); s->slot[id].user = user + 1; s->slot[id].tries = 0; s->slot[id].turn++; s->slot[id].first_at = t; s->slot[id].accounting = line >= NASES;
      s->slot[id].len = build(s->slot[id].packet, id, user, line >= NASES, line % NASES); s->flying++; asked[second(t)]++; transmit(s, port, id, t); } }
}
static void expire(double t) {
  while (timer_count && timers[timer_head].at <= t) { timer_t_ e = timers[timer_head]; timer_head = (timer_head + 1) % n_timers; timer_count--;
    port_t *s = &ports[e.port]; if (!s->slot[e.id].user || s->slot[e.id].turn != e.turn) continue;
    if (s->slot[e.id].tries < TRIES) { transmit(s, e.port, e.id, t); continue; }
    int user = s->slot[e.id].user - 1; s->slot[e.id].user = 0; s->flying--;
    if (e.port >= NASES * PORTS) push(&waiting[e.port / PORTS], user); /* accounting: never given up */
    else { gave_up++; users[user].state = OFFLINE; dial_at(user, t + uniform(REDIAL_S - 1, REDIAL_S + 1)); } }
}

/* ---- what it hears ---- */
static void accepted(int user, uint8_t *p, int len, double t) {
  user_t *u = &users[user]; u->class_len = 0; u->ip = 0;
  for (int at = 20; at + 2 <= len && p[at + 1] >= 2; at += p[at + 1]) {
    if (p[at] == 8) memcpy(&u->ip, p + at + 2, 4);
    if (p[at] == 25 && p[at + 1] - 2 <= (int)sizeof u->class) { u->class_len = p[at + 1] - 2; memcpy(u->class, p + at + 2, u->class_len); } }
  uint32_t key = ntohl(u->ip) & 0xffffff; if (!u->ip || (owner[key] && owner[key] != user + 1)) duplicates++; owner[key] = user + 1;
  u->state = STARTING; u->since = t; online++; push(&waiting[NASES + u->nas], user);
}
static void hear(port_t *s, double t) {
  uint8_t p[4096]; int len;
  while ((len = recv(s->fd, p, sizeof p, 0)) > 0) { int id = p[1], user = s->slot[id].user - 1; if (user < 0) continue;
    if (len < 20 || !authentic(p, len, s->slot[id].packet + 4)) { late++; continue; } /* for the one that was given up here */
    s->slot[id].user = 0; s->flying--; if (s->slot[id].tries == 1) prompt[second(s->slot[id].first_at)]++;
    if (storming && n_latency < max_latency) latency[n_latency++] = (t - s->slot[id].first_at) * 1000;
    if (s->slot[id].accounting) { users[user].state = ONLINE; started++; }
    else if (p[0] == 2) accepted(user, p, len, t);
    else { rejected++; if (!(storming && users[user].bad)) refused++; users[user].state = OFFLINE; dial_at(user, t + uniform(REDIAL_S - 1, REDIAL_S + 1)); } }
}
static void turn(double *t, long most) {
  struct pollfd polls[2 * NASES * PORTS]; for (int i = 0; i < 2 * NASES * PORTS; i++) polls[i] = (struct pollfd){ports[i].fd, POLLIN, 0};
  *t = now(); turn_wheel(*t); for (int line = 0; line < 2 * NASES; line++) send_waiting(line, *t, most);
  if (poll(polls, 2 * NASES * PORTS, 1) > 0) { *t = now(); for (int i = 0; i < 2 * NASES * PORTS; i++) if (polls[i].revents) hear(&ports[i], *t); }
  expire(*t = now());
}

/* ---- the responder that answers at once ---- */
static int respond(void) {
  struct pollfd polls[2]; int big = 16 << 20;
  for (int i = 0; i < 2; i++) { struct sockaddr_in me = {.sin_family = AF_INET, .sin_port = htons(i ? acct_port : auth_port)}; inet_pton(AF_INET, "127.0.0.1", &me.sin_addr);
    polls[i] = (struct pollfd){socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), POLLIN, 0}; setsockopt(polls[i].fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof big);
    if (bind(polls[i].fd, (void *)&me, sizeof me)) { perror("bind"); return 1; } }
  for (;;) { if (getppid() == 1) return 0; if (poll(polls, 2, 1000) <= 0) continue;
    for (int i = 0; i < 2; i++) { uint8_t p[4096], r[64], pass[16] = {0}; struct sockaddr_in from; socklen_t size = sizeof from; int len;
      while ((len = recvfrom(polls[i].fd, p, sizeof p, 0, (void *)&from, &size)) > 20) { int at = 20, number = 0; md5_t m; char told[17] = {0}, wanted[17]; uint8_t mac[16];
        for (int a = 20; a + 2 <= len && p[a + 1] >= 2; a += p[a + 1]) { if (p[a] == 5) { uint32_t n; memcpy(&n, p + a + 2, 4); number = ntohl(n); } if (p[a] == 2) memcpy(pass, p + a + 2, 16); }
        hide(pass, p + 4); memcpy(told, pass, 16); snprintf(wanted, sizeof wanted, "pass%06d", number);
        r[0] = i ? 5 : strcmp(told, wanted) ? 3 : 2; r[1] = p[1]; memcpy(r + 4, p + 4, 16); memset(r + at, 0, 18); r[at] = 80; r[at + 1] = 18; at += 18;
        if (r[0] == 2) at = put_int(r, at, 8, 0x0a000001u + number);
        r[2] = 0; r[3] = at; hmac(r, at, mac); memcpy(r + 22, mac, 16); md5_init(&m); md5_add(&m, r, at); md5_add(&m, secret, secret_len); md5_end(&m, r + 4);
        if (sendto(polls[i].fd, r, at, 0, (void *)&from, size) < 0) {} size = sizeof from; } } }
}

static int by_value(const void *a, const void *b) { float x = *(const float *)a, y = *(const float *)b; return x < y ? -1 : x > y; }
static float quantile(double q) { return n_latency ? latency[(long)((n_latency - 1) * q)] : 0; }

static void open_ports(void) {
  for (int i = 0; i < 2 * NASES * PORTS; i++) { port_t *s = &ports[i]; int big = 4 << 20; s->nas = i / PORTS % NASES; struct sockaddr_in me = {.sin_family = AF_INET}, server = {.sin_family = AF_INET};
    if (inet_pton(AF_INET, addresses[s->nas], &me.sin_addr) != 1 || ntohl(me.sin_addr.s_addr) >> 24 != 127) { fprintf(stderr, "only loopback addresses\n"); exit(2); }
    inet_pton(AF_INET, "127.0.0.1", &server.sin_addr); server.sin_port = htons(i >= NASES * PORTS ? acct_port : auth_port);
    s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0); setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof big);
    if (bind(s->fd, (void *)&me, sizeof me) || connect(s->fd, (void *)&server, sizeof server)) { perror(addresses[s->nas]); exit(1); } }
}
/* Everybody logs in at his own NAS, as fast as the server answers. */
static void log_all_in(void) {
  double t = t0 = now(), until = t + 300; for (int i = 0; i < n_users; i++) { users[i].nas = i % NASES; push(&waiting[users[i].nas], i); }
  while (started < n_users && t < until) { long flying = 0; for (int i = 0; i < 2 * NASES * PORTS; i++) flying += ports[i].flying; turn(&t, flying < 48 ? 8 : 0); }
  if (started < n_users) { fprintf(stderr, "only %ld of %d came online before the storm, %ld were refused\n", started, n_users, refused); exit(1); }
}
/* All are gone; two NASes say that they begin anew. */
static void fall(void) {
  memset(owner, 0, sizeof(int) << 24); memset(wheel, 0, sizeof wheel); ticked = 0; memset(asked, 0, sizeof asked); memset(prompt, 0, sizeof prompt);
  requests = resent = gave_up = refused = rejected = duplicates = online = started = late = n_latency = timer_count = 0; storming = 1;
  for (int nas = 0; nas < NASES; nas++) if (nas != dead) for (int i = 0; i < 3; i++) { uint8_t p[384]; int len = build(p, 255, -1, 1, nas); /* three times, unheard: it may be lost */
    if (send(ports[(NASES + nas) * PORTS + PORTS - 1].fd, p, len, 0) < 0) {} }
  t0 = now();
  for (int i = 0, n = 0; i < n_users; i++) { user_t *u = &users[i]; u->bad = i % 100 < bad_percent; goods += !u->bad; u->state = OFFLINE; if (u->nas == dead) { u->nas = n++ % NASES; if (u->nas == dead) u->nas = (dead + 1) % NASES; }
    dial_at(i, t0 + uniform(0, spread)); }
}
/* The first whole second after the last arrival from which on 95 % were answered at the first try, for two seconds. */
static int recovery(double t) {
  for (int s = (int)spread; s + 2 < (int)(t - t0) && s + 2 < SECONDS; s++) if (prompt[s] >= 0.95 * asked[s] && prompt[s + 1] >= 0.95 * asked[s + 1]) return s - (int)spread;
  return -1;
}

int main(int argc, char **argv) {
  int opt, ideal = 0; char *user_file = NULL, *list = NULL; double t, online_s = -1, ninety_five = -1, started_s = -1;
  while ((opt = getopt(argc, argv, "u:S:a:c:s:W:b:D:L:E")) != -1) switch (opt) {
    case 'u': user_file = optarg; break; case 'S': list = strdup(optarg); break; case 'a': auth_port = atoi(optarg); break; case 'c': acct_port = atoi(optarg); break;
    case 's': snprintf(secret, sizeof secret, "%s", optarg); break; case 'W': spread = atof(optarg); break; case 'b': bad_percent = atoi(optarg); break;
    case 'D': dead = atoi(optarg); break; case 'L': limit_s = atof(optarg); break; case 'E': ideal = 1; break;
    default: fprintf(stderr, "usage: storm -u users -S addr,addr,addr -a port -c port -s secret -W seconds -b percent -D dead -L limit | storm -E -a port -c port -s secret\n"); return 2; }
  secret_len = strlen(secret); hmac_key(secret); rng_state ^= (uint64_t)getpid() << 32 ^ (uint64_t)time(NULL); run_id = (uint32_t)rng() << 1; if (ideal) return respond();
  FILE *f = fopen(user_file ? user_file : "/dev/null", "r"); if (!f || !list) { perror("users, addresses"); return 2; }
  users = calloc(1000000, sizeof *users); while (n_users < 1000000 && fscanf(f, "%31s %31s", users[n_users].login, users[n_users].password) == 2) n_users++;
  for (int i = 0; i < NASES; i++) if (!(addresses[i] = strtok(i ? NULL : list, ","))) { fprintf(stderr, "three addresses\n"); return 2; }
  if (!n_users) { fprintf(stderr, "no users\n"); return 2; }
  for (int i = 0; i < 2 * NASES; i++) waiting[i].ring = calloc(n_users, sizeof(int));
  timers = calloc(n_timers, sizeof *timers); owner = calloc(1 << 24, sizeof(int)); latency = malloc(sizeof(float) * max_latency); open_ports(); log_all_in();
  printf("ready\n"); fflush(stdout); if (getchar() == EOF) return 1;
  fall(); t = t0;
  while (t - t0 < limit_s) { turn(&t, 1 << 20);
    if (ninety_five < 0 && online >= 0.95 * goods) ninety_five = t - t0;
    if (online_s < 0 && online >= goods) online_s = t - t0;
    if (started_s < 0 && started >= goods) started_s = t - t0;
    if (started_s >= 0 && recovery(t) >= 0) break; }
  qsort(latency, n_latency, sizeof(float), by_value);
  printf("{\"online_s\": %.2f, \"online_95_s\": %.2f, \"started_s\": %.2f, \"recovery_s\": %d, \"customers\": %ld, \"online\": %ld, \"refused\": %ld, \"rejected\": %ld, \"duplicate_addresses\": %ld, \"requests\": %ld, \"resent\": %ld, \"gave_up\": %ld, \"late\": %ld, \"p50_ms\": %.1f, \"p99_ms\": %.1f}\n",
    online_s, ninety_five, started_s, recovery(t), goods, online, refused, rejected, duplicates, requests, resent, gave_up, late, quantile(0.5), quantile(0.99));
  return 0;
}
