/* Prints each packet that leaves or reaches an interface: family, source, destination. */
#include <arpa/inet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <sys/socket.h>

int main(int argc, char **argv) {
  unsigned char packet[65536];
  char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
  int watched = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL));
  struct sockaddr_ll link = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
  if (argc != 2 || (link.sll_ifindex = (int)if_nametoindex(argv[1])) == 0) return 2;
  if (watched < 0 || bind(watched, (struct sockaddr *)&link, sizeof link) != 0) {
    perror("packets");
    return 1;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  puts("watching");
  for (;;) {
    struct sockaddr_ll at;
    socklen_t size = sizeof at;
    ssize_t length = recvfrom(watched, packet, sizeof packet, 0, (struct sockaddr *)&at, &size);
    if (length < 0) return 1;
    int version = packet[0] >> 4;
    switch (ntohs(at.sll_protocol)) {
    case ETH_P_IP:
      if (length < 20 || version != 4) continue;
      inet_ntop(AF_INET, packet + 12, from, sizeof from);
      inet_ntop(AF_INET, packet + 16, to, sizeof to);
      printf("ipv4 %s %s\n", from, to);
      break;
    case ETH_P_IPV6:
      if (length < 40 || version != 6) continue;
      inet_ntop(AF_INET6, packet + 8, from, sizeof from);
      inet_ntop(AF_INET6, packet + 24, to, sizeof to);
      printf("ipv6 %s %s\n", from, to);
      break;
    case ETH_P_ARP:
      if (length < 28) continue;
      inet_ntop(AF_INET, packet + 14, from, sizeof from);
      inet_ntop(AF_INET, packet + 24, to, sizeof to);
      printf("arp %s %s\n", from, to);
      break;
    default:
      printf("other %04x -\n", ntohs(at.sll_protocol));
    }
  }
}
