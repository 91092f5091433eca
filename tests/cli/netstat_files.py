"""A /proc of a machine that has every family net-tools knows, for test_netstat_tables.py."""

NET = {
    "ax25_route": "callsign  dev  mode digipeaters\nG4KLX-1   ax0    *\nDEFAULT   bpq0 7 X\n",
    "nr_nodes": "callsign  mnemonic w n qual obs neigh qual obs neigh qual obs neigh\n"
                "PI8HGL-1  HGL      1 1  203   6 00001\n"
                "PI8DDH-2  DDH      2 2  101   6 00001   222   6 00002\n"
                "PI8ZZZ-2  ZZZ      1 1  101   6 00009\n",
    "nr_neigh": "addr  callsign  dev  qual lock count failed digipeaters\n"
                "00001 PI8WFL-5  ax0   203    1     1    0\n"
                "00002 PI8WXX-5  ax1   203    1     1    0\n",
    "rose_nodes": "address    mask n neigh neigh neigh\n2080175520 0010 2 00001 00002\n"
                  "2080175521 0010 1 00003\n",
    "rose_neigh": "addr  callsign  dev  count use mode restart  t0  tf digipeaters\n"
                  "00001 F6BVP-5   ax0       1   0  DTE     no    0   0\n"
                  "00002 F6BXX-5   ax1       1   0  DTE     no    0   0\n",
    "x25_routes": "Address          Digits  Device\n1234567890123456 16      x25tap0\n"
                  "208001           6       lapb0\n-                0       lapb1\n",
    "ipx/route": "Network    Router_Net   Router_Node\n0000000A   Directly     Connected\n"
                 "0000000B   0000000A     00A0C912AB34\nFFFFFFFF   00000000     FFFFFFFFFFFF\n"
                 "bad line\n",
    "ipx/socket": "Local_Address  Remote_Address  Tx_Queue  Rx_Queue  State  Uid\n"
                  "0000000A:00A0C912AB34:0340  Not_Connected  00000000  00000010  07     000\n"
                  "0000000A:00A0C912AB34:4003  0000000B:0000C9120001:0451  00000001  00000000  "
                  "01     0001\n"
                  "00000000:000000000000:4003  0000000B:0000C9120001:0451  00000001  00000000  "
                  "05     4242\n",
    "atalk_route": "Target        Router  Flags Dev\n0:0          0:0        1  eth0\n"
                   "65280:0      65281:55   3  eth1\nx y 515 z\n",
    "ax25": "0000000012345678 ax0 G4KLX-1 G8BPQ-2,RELAY,WIDE* 3 1 2 3 0 10 0 3 0 300 0 5 1 2 0 3 "
            "256 11 22 1234\n"
            "00000000deadbeef ??? G4KLX * 0 0 0 0 0 10 0 3 0 300 0 5 1 2 0 3 256 * * *\n"
            "0 d s t 1 2\n",
    "x25": "dest_addr  src_addr   dev   lci st vs vr va   t  t2 t21 t22 t23 Snd-Q Rcv-Q inode\n"
           "1234567890 0987654321 x25t0 001  3  1  2  0   0   3 200 180 180     5     6 999\n"
           "*          5555555555 ???   000  0  0  0  0   0   3 200 180 180     0     0 998\n",
    "nr": "user_addr dest_node src_node  dev    my  your  st  vs  vr  va\n"
          "G4KLX-1   PI8HGL-1  PI8DDH-2  nr0   12/34 56/78  3   1   2   3   0/120   0/5   0/180   "
          "0/900  0/3  4   7     8 4242\n"
          "G4KLX-1   PI8HGL-1  PI8DDH-2  nr0   no numbers\n",
    "rose": "dest_addr  dest_call src_addr   src_call  dev   lci neigh st\n"
            "208017552  F6BVP-1   208017551  F6BXX-2   ros0  001 00001  3  0  0  0\n"
            "208017552  F6BVP-1   208017551  F6BXX-2\n",
    "rt_cache": "Iface\tDestination\tGateway \tFlags\t\tRefCnt\tUse\tMetric\tSource\t\tMTU\tWindow\t"
                "IRTT\tTOS\tHHRef\tHHUptod\tSpecDst\n"
                "eth0\t0100007F\t0100A8C0\t80000006\t1\t2\t3\t0201A8C0\t1500\t0\t300\t00\t2\t1\t"
                "0300A8C0\n"
                "eth0-long-name1\t0100007F\t00000000\t 62A3C407\t0\t0\t0\t00000000\t0\t0\t0\t10\t-1"
                "\t0\t00000000\nbad\t1\n",
    "route": "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
             "eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
             "longname123\t0000A8C0\t00000000\t0035\t1\t2\t3\t0000FFFF\t1500\t4\t5\n"
             "q\t0000A8C0\t00000000\tFFFFFFFF\t1\t2\t3\t0000FFFF\t1500\t4\t5\n"
             "q\t0000A8C0\t00000000\t0204\t1\t2\t3\t0000FFFF\t1500\t4\t5\n"
             "q\t0000A8C0\t00000000\t03FF\t1\t2\t3\t0000FFFF\t1500\t4\t5\nbroken\t1\t2\n"
             "eth1\t0001A8C0\t00000000\t0001\t1\t2\t3\t00FFFFFF\t1500\t4\n",
    "ip_masquerade": "Prc FromIP   FPrt ToIP     TPrt Masq Init-seq  Delta PDelta Expires\n"
                     "TCP 0A000005 0400 C0A80101 0050 EE49 00000ABC      -1      3    8993\n"
                     "UDP 0A000006 0035 C0A80102 0035 EE50 00000000      0      0    123456\n"
                     "ICMP 0A000006 0035 C0A80102 0035 EE50 00000000      0      0    0\n" +
                     "ESP 0A000006 0035 C0A80102 0035 EE50 00000000      0      0    5\n" * 40,
    "igmp": "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"
            "1\tlo        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n"
            "2\tabcdefghijklmno:     3      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n"
            "\t\t\t\tzz\n\t\t\t\t0100\n3\tabcdefghijklm:     3      V3\n"
            "\t\t\t\t0A0000E0     12 0:00000000\t\t0\nbad\n",
    "igmp6": "1    lo              ff020000000000000000000000000001     1 0000000C 0\n"
             "12    abcdefghijklmno ff0100000000000000000000deadbeef     3 00000008 0\nbad line\n",
    "ipv6_route":
        "20010db8000000000000000000000000 40 00000000000000000000000000000000 00 "
        "00000000000000000000000000000000 00000100 00000001 00000002 00000001 eth0\n"
        "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
        "fe800000000000000000000000000001 00000400 00000003 FFFFFFFF 00450003     eth0\n"
        "fe800000000000000000000000000000 40 00000000000000000000000000000000 00 "
        "00000000000000000000000000000000 00000100 00000001 00000002 01000001 eth0\n"
        "00000000000000000000ffff01020304 80 00000000000000000000000000000000 00 "
        "00000000000000000000000000000000 80000000 00000001 00000002 FEFFFFFF abcdefghijklmno\n",
    "snmp": "Ip: Forwarding DefaultTTL InReceives InHdrErrors Strange\nIp: 1 64 12 3 99\n"
            "Icmp: InMsgs InErrors InDestUnreachs InEchos OutMsgs OutDestUnreachs New\n"
            "Icmp: 5 0 1 2 3 4 7\nIcmpMsg: InType3 OutType3\nIcmpMsg: 5 6\n"
            "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens MaxConn2 CurrEstab\n"
            "Tcp: 1 200 120000 -1 8 -1\nUdp: InDatagrams NoPorts Odd\n"
            "Udp: 18446744073709551615 18446744073709551616 x\n\n"
            "UdpLite: InDatagrams A\nUdpLite: 1 2\n",
    "netstat": "TcpExt: SyncookiesSent TCPDSACKUndo TCPDSackUndo TCPLoss TCPLossFailures "
               "TCPLossUndo TW TWKilled TWRecycled TCPHPHits Foo\n"
               "TcpExt: 1 2 3 4 5 6 7 8 9 0 11\nIpExt: InOctets Z\nIpExt: 123 0\n",
    "snmp6": "Ip6InReceives                   \t12\nIp6OutForwDatagrams  3\nIp6InOctets 5\n"
             "Icmp6InMsgs   3\nIcmp6InEchos 4\nIcmp6OutEchoReplies 9\n"
             "Icmp6OutRouterAdvertisements 7\nIcmp6InType135  1\nUdp6InDatagrams 4\n"
             "Udp6RcvbufErrors 4\nUdpLite6InDatagrams 7\nTcp6Foo 4\nNoNumber\nbad x\n",
    "sctp/snmp": "SctpCurrEstab                   \t1\nSctpActiveEstabs 2\nSctpOther 5\nSctpZero 0\n",
    "sctp/eps": " ENDPT     SOCK   STY SST HBKT LPORT   UID INODE LADDRS\n"
                "ffff8800 ffff8801 0   10  57   5001      0 12345 127.0.0.1 10.0.0.1 "
                "0000:0000:0000:0000:0000:0000:0000:0001 \n"
                "ffff8800 ffff8801 0   99  57   80      12 12346 127.0.0.1\nbad\n",
    "sctp/assocs": " ASSOC     SOCK   STY SST ST HBKT ASSOC-ID TX_QUEUE RX_QUEUE UID INODE LPORT "
                   "RPORT LADDRS <-> RADDRS HBINT\n"
                   "ffff88 ffff89 2   1   4  1234    1        5        6       0 12347 5001   80 "
                   "*127.0.0.1 10.0.0.1 <-> *127.0.0.2 0000:0000:0000:0000:0000:0000:0000:0001"
                   "\t    7500    10    10   10\nbad 1 2\n",
    "dev": "Inter-|   Receive                            |  Transmit\n"
           " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets "
           "errs drop fifo colls carrier compressed\n"
           "    lo: 18446744073709551615       1    2    3    4     5          6         7 "
           "1152921504606846977       8    9    10    11     12       13          14\n"
           "  eth0:1025 2 0 0 0 0 0 0 1048577 3 0 0 0 0 0 0\n",
    "if_inet6": "00000000000000000000000000000001 01 80 10 80       lo\n"
                "20010db8000000000000000000000001 02 40 00 80     eth0\n"
                "00000000000000000000ffff01020304 02 40 f0 80     eth0\n"
                "20010db8000000000000000000000001 02 40 01 80     eth0\n",
}

# What is asked of these files.
OPTIONS = """-r -rn -re -ree -reee -reen -rC -rCn -rCe -rCee -rCeen -rFC -r6 -r6n -r6C -r6FC
-rAax25 -rAnetrom -rArose -rAx25 -rAipx -rAddp -rAax25,ipx,x25 -Aipx -eAipx -enAipx --ax25 --x25
-aAx25 --netrom --rose -Aipx,ax25,x25,netrom,rose -M -Mn -Me -Men -g -gn -s -st -su -sw -sS -sU -s6
-s6t -s6u -s6w -s6S -S -Sn -San -Sa -Sl -Se -Sae -Saen -Sao -Sapeno -S6 -S4a -i -ia -ie -iae -ien
""".split()
