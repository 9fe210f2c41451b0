/**
 * Operators, btree's operator classes and casts of the types there are here, recorded from PostgreSQL 15. What of it there is not here is
 * left out when the catalog is asked.
 */

/** oid, oprname, oprleft, oprright, oprresult, oprcom, oprnegate; m: oprcanmerge, h: oprcanhash; description. */
export const operatorData = `
15 = 23 20 16 416 36 mh equal
36 <> 23 20 16 417 15 - not equal
37 < 23 20 16 419 82 - less than
58 < 16 16 16 59 1695 - less than
59 > 16 16 16 58 1694 - greater than
76 > 23 20 16 418 80 - greater than
80 <= 23 20 16 430 76 - less than or equal
82 >= 23 20 16 420 37 - greater than or equal
85 <> 16 16 16 85 91 - not equal
91 = 16 16 16 91 85 mh equal
92 = 18 18 16 92 630 mh equal
93 = 19 19 16 93 643 mh equal
94 = 21 21 16 94 519 mh equal
95 < 21 21 16 520 524 - less than
96 = 23 23 16 96 518 mh equal
97 < 23 23 16 521 525 - less than
98 = 25 25 16 98 531 mh equal
254 = 19 25 16 260 259 mh equal
255 < 19 25 16 264 257 - less than
256 <= 19 25 16 263 258 - less than or equal
257 >= 19 25 16 262 255 - greater than or equal
258 > 19 25 16 261 256 - greater than
259 <> 19 25 16 265 254 - not equal
260 = 25 19 16 254 265 mh equal
261 < 25 19 16 258 263 - less than
262 <= 25 19 16 257 264 - less than or equal
263 >= 25 19 16 256 261 - greater than or equal
264 > 25 19 16 255 262 - greater than
265 <> 25 19 16 259 260 - not equal
349 || 5078 5077 5078 0 0 - append element onto end of array
352 = 28 28 16 352 3315 h equal
353 = 28 23 16 0 3316 - equal
374 || 5077 5078 5078 0 0 - prepend element onto front of array
375 || 5078 5078 5078 0 0 - concatenate
385 = 29 29 16 385 0 h equal
410 = 20 20 16 410 411 mh equal
411 <> 20 20 16 411 410 - not equal
412 < 20 20 16 413 415 - less than
413 > 20 20 16 412 414 - greater than
414 <= 20 20 16 415 413 - less than or equal
415 >= 20 20 16 414 412 - greater than or equal
416 = 20 23 16 15 417 mh equal
417 <> 20 23 16 36 416 - not equal
418 < 20 23 16 76 430 - less than
419 > 20 23 16 37 420 - greater than
420 <= 20 23 16 82 419 - less than or equal
430 >= 20 23 16 80 418 - greater than or equal
439 % 20 20 20 0 0 - modulus
473 @ 0 20 20 0 0 - absolute value
484 - 0 20 20 0 0 - negate
514 * 23 23 23 514 0 - multiply
518 <> 23 23 16 518 96 - not equal
519 <> 21 21 16 519 94 - not equal
520 > 21 21 16 95 522 - greater than
521 > 23 23 16 97 523 - greater than
522 <= 21 21 16 524 520 - less than or equal
523 <= 23 23 16 525 521 - less than or equal
524 >= 21 21 16 522 95 - greater than or equal
525 >= 23 23 16 523 97 - greater than or equal
526 * 21 21 21 526 0 - multiply
527 / 21 21 21 0 0 - divide
528 / 23 23 23 0 0 - divide
529 % 21 21 21 0 0 - modulus
530 % 23 23 23 0 0 - modulus
531 <> 25 25 16 531 98 - not equal
532 = 21 23 16 533 538 mh equal
533 = 23 21 16 532 539 mh equal
534 < 21 23 16 537 542 - less than
535 < 23 21 16 536 543 - less than
536 > 21 23 16 535 540 - greater than
537 > 23 21 16 534 541 - greater than
538 <> 21 23 16 539 532 - not equal
539 <> 23 21 16 538 533 - not equal
540 <= 21 23 16 543 536 - less than or equal
541 <= 23 21 16 542 537 - less than or equal
542 >= 21 23 16 541 534 - greater than or equal
543 >= 23 21 16 540 535 - greater than or equal
544 * 21 23 23 545 0 - multiply
545 * 23 21 23 544 0 - multiply
546 / 21 23 23 0 0 - divide
547 / 23 21 23 0 0 - divide
550 + 21 21 21 550 0 - add
551 + 23 23 23 551 0 - add
552 + 21 23 23 553 0 - add
553 + 23 21 23 552 0 - add
554 - 21 21 21 0 0 - subtract
555 - 23 23 23 0 0 - subtract
556 - 21 23 23 0 0 - subtract
557 - 23 21 23 0 0 - subtract
558 - 0 23 23 0 0 - negate
559 - 0 21 21 0 0 - negate
584 - 0 700 700 0 0 - negate
585 - 0 701 701 0 0 - negate
586 + 700 700 700 586 0 - add
587 - 700 700 700 0 0 - subtract
588 / 700 700 700 0 0 - divide
589 * 700 700 700 589 0 - multiply
590 @ 0 700 700 0 0 - absolute value
591 + 701 701 701 591 0 - add
592 - 701 701 701 0 0 - subtract
593 / 701 701 701 0 0 - divide
594 * 701 701 701 594 0 - multiply
595 @ 0 701 701 0 0 - absolute value
596 |/ 0 701 701 0 0 - square root
597 ||/ 0 701 701 0 0 - cube root
607 = 26 26 16 607 608 mh equal
608 <> 26 26 16 608 607 - not equal
609 < 26 26 16 610 612 - less than
610 > 26 26 16 609 611 - greater than
611 <= 26 26 16 612 610 - less than or equal
612 >= 26 26 16 611 609 - greater than or equal
620 = 700 700 16 620 621 mh equal
621 <> 700 700 16 621 620 - not equal
622 < 700 700 16 623 625 - less than
623 > 700 700 16 622 624 - greater than
624 <= 700 700 16 625 623 - less than or equal
625 >= 700 700 16 624 622 - greater than or equal
630 <> 18 18 16 630 92 - not equal
631 < 18 18 16 633 634 - less than
632 <= 18 18 16 634 633 - less than or equal
633 > 18 18 16 631 632 - greater than
634 >= 18 18 16 632 631 - greater than or equal
639 ~ 19 25 16 0 640 - matches regular expression, case-sensitive
640 !~ 19 25 16 0 639 - does not match regular expression, case-sensitive
641 ~ 25 25 16 0 642 - matches regular expression, case-sensitive
642 !~ 25 25 16 0 641 - does not match regular expression, case-sensitive
643 <> 19 19 16 643 93 - not equal
644 <> 30 30 16 644 649 - not equal
645 < 30 30 16 646 648 - less than
646 > 30 30 16 645 647 - greater than
647 <= 30 30 16 648 646 - less than or equal
648 >= 30 30 16 647 645 - greater than or equal
649 = 30 30 16 649 644 mh equal
654 || 25 25 25 0 0 - concatenate
660 < 19 19 16 662 663 - less than
661 <= 19 19 16 663 662 - less than or equal
662 > 19 19 16 660 661 - greater than
663 >= 19 19 16 661 660 - greater than or equal
664 < 25 25 16 666 667 - less than
665 <= 25 25 16 667 666 - less than or equal
666 > 25 25 16 664 665 - greater than
667 >= 25 25 16 665 664 - greater than or equal
670 = 701 701 16 670 671 mh equal
671 <> 701 701 16 671 670 - not equal
672 < 701 701 16 674 675 - less than
673 <= 701 701 16 675 674 - less than or equal
674 > 701 701 16 672 673 - greater than
675 >= 701 701 16 673 672 - greater than or equal
682 @ 0 21 21 0 0 - absolute value
684 + 20 20 20 684 0 - add
685 - 20 20 20 0 0 - subtract
686 * 20 20 20 686 0 - multiply
687 / 20 20 20 0 0 - divide
688 + 20 23 20 692 0 - add
689 - 20 23 20 0 0 - subtract
690 * 20 23 20 694 0 - multiply
691 / 20 23 20 0 0 - divide
692 + 23 20 20 688 0 - add
693 - 23 20 20 0 0 - subtract
694 * 23 20 20 690 0 - multiply
695 / 23 20 20 0 0 - divide
773 @ 0 23 23 0 0 - absolute value
818 + 20 21 20 822 0 - add
819 - 20 21 20 0 0 - subtract
820 * 20 21 20 824 0 - multiply
821 / 20 21 20 0 0 - divide
822 + 21 20 20 818 0 - add
823 - 21 20 20 0 0 - subtract
824 * 21 20 20 820 0 - multiply
825 / 21 20 20 0 0 - divide
965 ^ 701 701 701 0 0 - exponentiation
966 + 1034 1033 1034 0 0 - add/update ACL item
967 - 1034 1033 1034 0 0 - remove ACL item
968 @> 1034 1033 16 0 0 - contains
974 = 1033 1033 16 974 0 h equal
1038 ^ 1700 1700 1700 0 0 - exponentiation
1054 = 1042 1042 16 1054 1057 mh equal
1055 ~ 1042 25 16 0 1056 - matches regular expression, case-sensitive
1056 !~ 1042 25 16 0 1055 - does not match regular expression, case-sensitive
1057 <> 1042 1042 16 1057 1054 - not equal
1058 < 1042 1042 16 1060 1061 - less than
1059 <= 1042 1042 16 1061 1060 - less than or equal
1060 > 1042 1042 16 1058 1059 - greater than
1061 >= 1042 1042 16 1059 1058 - greater than or equal
1070 = 2277 2277 16 1070 1071 mh equal
1071 <> 2277 2277 16 1071 1070 - not equal
1072 < 2277 2277 16 1073 1075 - less than
1073 > 2277 2277 16 1072 1074 - greater than
1074 <= 2277 2277 16 1075 1073 - less than or equal
1075 >= 2277 2277 16 1074 1072 - greater than or equal
1076 + 1082 1186 1114 2551 0 - add
1077 - 1082 1186 1114 0 0 - subtract
1093 = 1082 1082 16 1093 1094 mh equal
1094 <> 1082 1082 16 1094 1093 - not equal
1095 < 1082 1082 16 1097 1098 - less than
1096 <= 1082 1082 16 1098 1097 - less than or equal
1097 > 1082 1082 16 1095 1096 - greater than
1098 >= 1082 1082 16 1096 1095 - greater than or equal
1099 - 1082 1082 23 0 0 - subtract
1100 + 1082 23 1082 2555 0 - add
1101 - 1082 23 1082 0 0 - subtract
1108 = 1083 1083 16 1108 1109 mh equal
1109 <> 1083 1083 16 1109 1108 - not equal
1110 < 1083 1083 16 1112 1113 - less than
1111 <= 1083 1083 16 1113 1112 - less than or equal
1112 > 1083 1083 16 1110 1111 - greater than
1113 >= 1083 1083 16 1111 1110 - greater than or equal
1116 + 700 701 701 1126 0 - add
1117 - 700 701 701 0 0 - subtract
1118 / 700 701 701 0 0 - divide
1119 * 700 701 701 1129 0 - multiply
1120 = 700 701 16 1130 1121 mh equal
1121 <> 700 701 16 1131 1120 - not equal
1122 < 700 701 16 1133 1125 - less than
1123 > 700 701 16 1132 1124 - greater than
1124 <= 700 701 16 1135 1123 - less than or equal
1125 >= 700 701 16 1134 1122 - greater than or equal
1126 + 701 700 701 1116 0 - add
1127 - 701 700 701 0 0 - subtract
1128 / 701 700 701 0 0 - divide
1129 * 701 700 701 1119 0 - multiply
1130 = 701 700 16 1120 1131 mh equal
1131 <> 701 700 16 1121 1130 - not equal
1132 < 701 700 16 1123 1135 - less than
1133 > 701 700 16 1122 1134 - greater than
1134 <= 701 700 16 1125 1133 - less than or equal
1135 >= 701 700 16 1124 1132 - greater than or equal
1207 ~~ 19 25 16 0 1208 - matches LIKE expression
1208 !~~ 19 25 16 0 1207 - does not match LIKE expression
1209 ~~ 25 25 16 0 1210 - matches LIKE expression
1210 !~~ 25 25 16 0 1209 - does not match LIKE expression
1211 ~~ 1042 25 16 0 1212 - matches LIKE expression
1212 !~~ 1042 25 16 0 1211 - does not match LIKE expression
1226 ~* 19 25 16 0 1227 - matches regular expression, case-insensitive
1227 !~* 19 25 16 0 1226 - does not match regular expression, case-insensitive
1228 ~* 25 25 16 0 1229 - matches regular expression, case-insensitive
1229 !~* 25 25 16 0 1228 - does not match regular expression, case-insensitive
1234 ~* 1042 25 16 0 1235 - matches regular expression, case-insensitive
1235 !~* 1042 25 16 0 1234 - does not match regular expression, case-insensitive
1320 = 1184 1184 16 1320 1321 mh equal
1321 <> 1184 1184 16 1321 1320 - not equal
1322 < 1184 1184 16 1324 1325 - less than
1323 <= 1184 1184 16 1325 1324 - less than or equal
1324 > 1184 1184 16 1322 1323 - greater than
1325 >= 1184 1184 16 1323 1322 - greater than or equal
1327 + 1184 1186 1184 2554 0 - add
1328 - 1184 1184 1186 0 0 - subtract
1329 - 1184 1186 1184 0 0 - subtract
1330 = 1186 1186 16 1330 1331 mh equal
1331 <> 1186 1186 16 1331 1330 - not equal
1332 < 1186 1186 16 1334 1335 - less than
1333 <= 1186 1186 16 1335 1334 - less than or equal
1334 > 1186 1186 16 1332 1333 - greater than
1335 >= 1186 1186 16 1333 1332 - greater than or equal
1336 - 0 1186 1186 0 0 - negate
1337 + 1186 1186 1186 1337 0 - add
1338 - 1186 1186 1186 0 0 - subtract
1360 + 1082 1083 1114 1363 0 - convert date and time to timestamp
1361 + 1082 1266 1184 1366 0 - convert date and time with time zone to timestamp with time zone
1363 + 1083 1082 1114 1360 0 - convert time and date to timestamp
1366 + 1266 1082 1184 1361 0 - convert time with time zone and date to timestamp with time zone
1399 - 1083 1083 1186 0 0 - subtract
1550 = 1266 1266 16 1550 1551 mh equal
1551 <> 1266 1266 16 1551 1550 - not equal
1552 < 1266 1266 16 1554 1555 - less than
1553 <= 1266 1266 16 1555 1554 - less than or equal
1554 > 1266 1266 16 1552 1553 - greater than
1555 >= 1266 1266 16 1553 1552 - greater than or equal
1583 * 1186 701 1186 1584 0 - multiply
1584 * 701 1186 1186 1583 0 - multiply
1585 / 1186 701 1186 0 0 - divide
1625 ~~* 19 25 16 0 1626 - matches LIKE expression, case-insensitive
1626 !~~* 19 25 16 0 1625 - does not match LIKE expression, case-insensitive
1627 ~~* 25 25 16 0 1628 - matches LIKE expression, case-insensitive
1628 !~~* 25 25 16 0 1627 - does not match LIKE expression, case-insensitive
1629 ~~* 1042 25 16 0 1630 - matches LIKE expression, case-insensitive
1630 !~~* 1042 25 16 0 1629 - does not match LIKE expression, case-insensitive
1694 <= 16 16 16 1695 59 - less than or equal
1695 >= 16 16 16 1694 58 - greater than or equal
1751 - 0 1700 1700 0 0 - negate
1752 = 1700 1700 16 1752 1753 mh equal
1753 <> 1700 1700 16 1753 1752 - not equal
1754 < 1700 1700 16 1756 1757 - less than
1755 <= 1700 1700 16 1757 1756 - less than or equal
1756 > 1700 1700 16 1754 1755 - greater than
1757 >= 1700 1700 16 1755 1754 - greater than or equal
1758 + 1700 1700 1700 1758 0 - add
1759 - 1700 1700 1700 0 0 - subtract
1760 * 1700 1700 1700 1760 0 - multiply
1761 / 1700 1700 1700 0 0 - divide
1762 % 1700 1700 1700 0 0 - modulus
1763 @ 0 1700 1700 0 0 - absolute value
1800 + 1083 1186 1083 1849 0 - add
1801 - 1083 1186 1083 0 0 - subtract
1802 + 1266 1186 1266 2552 0 - add
1803 - 1266 1186 1266 0 0 - subtract
1849 + 1186 1083 1083 1800 0 - add
1862 = 21 20 16 1868 1863 mh equal
1863 <> 21 20 16 1869 1862 - not equal
1864 < 21 20 16 1871 1867 - less than
1865 > 21 20 16 1870 1866 - greater than
1866 <= 21 20 16 1873 1865 - less than or equal
1867 >= 21 20 16 1872 1864 - greater than or equal
1868 = 20 21 16 1862 1869 mh equal
1869 <> 20 21 16 1863 1868 - not equal
1870 < 20 21 16 1865 1873 - less than
1871 > 20 21 16 1864 1872 - greater than
1872 <= 20 21 16 1867 1871 - less than or equal
1873 >= 20 21 16 1866 1870 - greater than or equal
1874 & 21 21 21 1874 0 - bitwise and
1875 | 21 21 21 1875 0 - bitwise or
1876 # 21 21 21 1876 0 - bitwise exclusive or
1877 ~ 0 21 21 0 0 - bitwise not
1878 << 21 23 21 0 0 - bitwise shift left
1879 >> 21 23 21 0 0 - bitwise shift right
1880 & 23 23 23 1880 0 - bitwise and
1881 | 23 23 23 1881 0 - bitwise or
1882 # 23 23 23 1882 0 - bitwise exclusive or
1883 ~ 0 23 23 0 0 - bitwise not
1884 << 23 23 23 0 0 - bitwise shift left
1885 >> 23 23 23 0 0 - bitwise shift right
1886 & 20 20 20 1886 0 - bitwise and
1887 | 20 20 20 1887 0 - bitwise or
1888 # 20 20 20 1888 0 - bitwise exclusive or
1889 ~ 0 20 20 0 0 - bitwise not
1890 << 20 23 20 0 0 - bitwise shift left
1891 >> 20 23 20 0 0 - bitwise shift right
1916 + 0 20 20 0 0 - unary plus
1917 + 0 21 21 0 0 - unary plus
1918 + 0 23 23 0 0 - unary plus
1919 + 0 700 700 0 0 - unary plus
1920 + 0 701 701 0 0 - unary plus
1921 + 0 1700 1700 0 0 - unary plus
1955 = 17 17 16 1955 1956 mh equal
1956 <> 17 17 16 1956 1955 - not equal
1957 < 17 17 16 1959 1960 - less than
1958 <= 17 17 16 1960 1959 - less than or equal
1959 > 17 17 16 1957 1958 - greater than
1960 >= 17 17 16 1958 1957 - greater than or equal
2016 ~~ 17 17 16 0 2017 - matches LIKE expression
2017 !~~ 17 17 16 0 2016 - does not match LIKE expression
2018 || 17 17 17 0 0 - concatenate
2060 = 1114 1114 16 2060 2061 mh equal
2061 <> 1114 1114 16 2061 2060 - not equal
2062 < 1114 1114 16 2064 2065 - less than
2063 <= 1114 1114 16 2065 2064 - less than or equal
2064 > 1114 1114 16 2062 2063 - greater than
2065 >= 1114 1114 16 2063 2062 - greater than or equal
2066 + 1114 1186 1114 2553 0 - add
2067 - 1114 1114 1186 0 0 - subtract
2068 - 1114 1186 1114 0 0 - subtract
2314 ~<~ 25 25 16 2318 2317 - less than
2315 ~<=~ 25 25 16 2317 2318 - less than or equal
2317 ~>=~ 25 25 16 2315 2314 - greater than or equal
2318 ~>~ 25 25 16 2314 2315 - greater than
2326 ~<~ 1042 1042 16 2330 2329 - less than
2327 ~<=~ 1042 1042 16 2329 2330 - less than or equal
2329 ~>=~ 1042 1042 16 2327 2326 - greater than or equal
2330 ~>~ 1042 1042 16 2326 2327 - greater than
2345 < 1082 1114 16 2375 2348 - less than
2346 <= 1082 1114 16 2374 2349 - less than or equal
2347 = 1082 1114 16 2373 2350 m equal
2348 >= 1082 1114 16 2372 2345 - greater than or equal
2349 > 1082 1114 16 2371 2346 - greater than
2350 <> 1082 1114 16 2376 2347 - not equal
2358 < 1082 1184 16 2388 2361 - less than
2359 <= 1082 1184 16 2387 2362 - less than or equal
2360 = 1082 1184 16 2386 2363 m equal
2361 >= 1082 1184 16 2385 2358 - greater than or equal
2362 > 1082 1184 16 2384 2359 - greater than
2363 <> 1082 1184 16 2389 2360 - not equal
2371 < 1114 1082 16 2349 2374 - less than
2372 <= 1114 1082 16 2348 2375 - less than or equal
2373 = 1114 1082 16 2347 2376 m equal
2374 >= 1114 1082 16 2346 2371 - greater than or equal
2375 > 1114 1082 16 2345 2372 - greater than
2376 <> 1114 1082 16 2350 2373 - not equal
2384 < 1184 1082 16 2362 2387 - less than
2385 <= 1184 1082 16 2361 2388 - less than or equal
2386 = 1184 1082 16 2360 2389 m equal
2387 >= 1184 1082 16 2359 2384 - greater than or equal
2388 > 1184 1082 16 2358 2385 - greater than
2389 <> 1184 1082 16 2363 2386 - not equal
2534 < 1114 1184 16 2544 2537 - less than
2535 <= 1114 1184 16 2543 2538 - less than or equal
2536 = 1114 1184 16 2542 2539 m equal
2537 >= 1114 1184 16 2541 2534 - greater than or equal
2538 > 1114 1184 16 2540 2535 - greater than
2539 <> 1114 1184 16 2545 2536 - not equal
2540 < 1184 1114 16 2538 2543 - less than
2541 <= 1184 1114 16 2537 2544 - less than or equal
2542 = 1184 1114 16 2536 2545 m equal
2543 >= 1184 1114 16 2535 2540 - greater than or equal
2544 > 1184 1114 16 2534 2541 - greater than
2545 <> 1184 1114 16 2539 2542 - not equal
2551 + 1186 1082 1114 1076 0 - add
2552 + 1186 1266 1266 1802 0 - add
2553 + 1186 1114 1114 2066 0 - add
2554 + 1186 1184 1184 1327 0 - add
2555 + 23 1082 1082 1100 0 - add
2750 && 2277 2277 16 2750 0 - overlaps
2751 @> 2277 2277 16 2752 0 - contains
2752 <@ 2277 2277 16 2751 0 - is contained by
2779 || 25 2776 25 0 0 - concatenate
2780 || 2776 25 25 0 0 - concatenate
2972 = 2950 2950 16 2972 2973 mh equal
2973 <> 2950 2950 16 2973 2972 - not equal
2974 < 2950 2950 16 2975 2977 - less than
2975 > 2950 2950 16 2974 2976 - greater than
2976 <= 2950 2950 16 2977 2975 - less than or equal
2977 >= 2950 2950 16 2976 2974 - greater than or equal
2988 = 2249 2249 16 2988 2989 mh equal
2989 <> 2249 2249 16 2989 2988 - not equal
2990 < 2249 2249 16 2991 2993 - less than
2991 > 2249 2249 16 2990 2992 - greater than
2992 <= 2249 2249 16 2993 2991 - less than or equal
2993 >= 2249 2249 16 2992 2990 - greater than or equal
3188 *= 2249 2249 16 3188 3189 m identical
3189 *<> 2249 2249 16 3189 3188 - not identical
3190 *< 2249 2249 16 3191 3193 - less than
3191 *> 2249 2249 16 3190 3192 - greater than
3192 *<= 2249 2249 16 3193 3191 - less than or equal
3193 *>= 2249 2249 16 3192 3190 - greater than or equal
3206 #>> 3802 1009 25 0 0 - get value from jsonb as text with path elements
3211 -> 3802 25 3802 0 0 - get jsonb object field
3212 -> 3802 23 3802 0 0 - get jsonb array element
3213 #> 3802 1009 3802 0 0 - get value from jsonb with path elements
3240 = 3802 3802 16 3240 3241 mh equal
3241 <> 3802 3802 16 3241 3240 - not equal
3242 < 3802 3802 16 3243 3245 - less than
3243 > 3802 3802 16 3242 3244 - greater than
3244 <= 3802 3802 16 3245 3243 - less than or equal
3245 >= 3802 3802 16 3244 3242 - greater than or equal
3246 @> 3802 3802 16 3250 0 - contains
3247 ? 3802 25 16 0 0 - key exists
3248 ?| 3802 1009 16 0 0 - any key exists
3249 ?& 3802 1009 16 0 0 - all keys exist
3250 <@ 3802 3802 16 3246 0 - is contained by
3284 || 3802 3802 3802 0 0 - concatenate
3285 - 3802 25 3802 0 0 - delete object field
3286 - 3802 23 3802 0 0 - delete array element
3287 #- 3802 1009 3802 0 0 - delete path
3315 <> 28 28 16 3315 352 - not equal
3316 <> 28 23 16 0 353 - not equal
3398 - 3802 1009 3802 0 0 - delete object fields
3477 ->> 3802 25 25 0 0 - get jsonb object field as text
3481 ->> 3802 23 25 0 0 - get jsonb array element as text
3516 = 3500 3500 16 3516 3517 mh equal
3517 <> 3500 3500 16 3517 3516 - not equal
3518 < 3500 3500 16 3519 3521 - less than
3519 > 3500 3500 16 3518 3520 - greater than
3520 <= 3500 3500 16 3521 3519 - less than or equal
3521 >= 3500 3500 16 3520 3518 - greater than or equal
3762 @@ 25 25 16 0 0 - text search match
3877 ^@ 25 25 16 0 0 - starts with
3962 -> 114 25 114 0 0 - get json object field
3963 ->> 114 25 25 0 0 - get json object field as text
3964 -> 114 23 114 0 0 - get json array element
3965 ->> 114 23 25 0 0 - get json array element as text
3966 #> 114 1009 114 0 0 - get value from json with path elements
3967 #>> 114 1009 25 0 0 - get value from json as text with path elements
4012 @? 3802 4072 16 0 0 - jsonpath exists
4013 @@ 3802 4072 16 0 0 - jsonpath match
5068 = 5069 5069 16 5068 5072 mh equal
5072 <> 5069 5069 16 5072 5068 - not equal
5073 < 5069 5069 16 5074 5076 - less than
5074 > 5069 5069 16 5073 5075 - greater than
5075 <= 5069 5069 16 5076 5074 - less than or equal
5076 >= 5069 5069 16 5075 5073 - greater than or equal
`;

/** oid, opfname. */
export const operatorFamilyData = `
397 array_ops
424 bool_ops
426 bpchar_ops
428 bytea_ops
429 char_ops
434 datetime_ops
1970 float_ops
1976 integer_ops
1982 interval_ops
1988 numeric_ops
1989 oid_ops
1991 oidvector_ops
2994 record_ops
3194 record_image_ops
1994 text_ops
1996 time_ops
2000 timetz_ops
2095 text_pattern_ops
2097 bpchar_pattern_ops
5067 xid8_ops
2968 uuid_ops
3522 enum_ops
4033 jsonb_ops
`;

/** oid, opcfamily, opcname, opcintype; d: opcdefault. */
export const operatorClassData = `
10000 397 array_ops 2277 d
10003 424 bool_ops 16 d
10004 426 bpchar_ops 1042 d
10006 428 bytea_ops 17 d
10007 429 char_ops 18 d
3122 434 date_ops 1082 d
10012 1970 float4_ops 700 d
3123 1970 float8_ops 701 d
1979 1976 int2_ops 21 d
1978 1976 int4_ops 23 d
3124 1976 int8_ops 20 d
10022 1982 interval_ops 1186 d
10028 1994 name_ops 19 d
3125 1988 numeric_ops 1700 d
1981 1989 oid_ops 26 d
10032 1991 oidvector_ops 30 d
10034 2994 record_ops 2249 d
10036 3194 record_image_ops 2249 -
3126 1994 text_ops 25 d
10038 1996 time_ops 1083 d
3127 434 timestamptz_ops 1184 d
10041 2000 timetz_ops 1266 d
10044 1994 varchar_ops 25 -
3128 434 timestamp_ops 1114 d
4217 2095 text_pattern_ops 25 -
4218 2095 varchar_pattern_ops 25 -
4219 2097 bpchar_pattern_ops 1042 -
10053 5067 xid8_ops 5069 d
10065 2968 uuid_ops 2950 d
10069 3522 enum_ops 3500 d
10088 4033 jsonb_ops 3802 d
`;

/** oid of the first, amopfamily, amoplefttype, amoprighttype, amopopr of the strategies 1 to 5. */
export const familyOperatorData = `
10000 1976 21 21 95 522 94 524 520
10005 1976 21 23 534 540 532 542 536
10010 1976 21 20 1864 1866 1862 1867 1865
10015 1976 23 23 97 523 96 525 521
10020 1976 23 21 535 541 533 543 537
10025 1976 23 20 37 80 15 82 76
10030 1976 20 20 412 414 410 415 413
10035 1976 20 21 1870 1872 1868 1873 1871
10040 1976 20 23 418 420 416 430 419
10045 1989 26 26 609 611 607 612 610
10050 5067 5069 5069 5073 5075 5068 5076 5074
10060 1991 30 30 645 647 649 648 646
10065 1970 700 700 622 624 620 625 623
10070 1970 700 701 1122 1124 1120 1125 1123
10075 1970 701 701 672 673 670 675 674
10080 1970 701 700 1132 1134 1130 1135 1133
10085 429 18 18 631 632 92 634 633
10090 1994 25 25 664 665 98 667 666
10095 1994 19 19 660 661 93 663 662
10100 1994 19 25 255 256 254 257 258
10105 1994 25 19 261 262 260 263 264
10110 426 1042 1042 1058 1059 1054 1061 1060
10115 428 17 17 1957 1958 1955 1960 1959
10120 434 1082 1082 1095 1096 1093 1098 1097
10125 434 1082 1114 2345 2346 2347 2348 2349
10130 434 1082 1184 2358 2359 2360 2361 2362
10135 434 1114 1114 2062 2063 2060 2065 2064
10140 434 1114 1082 2371 2372 2373 2374 2375
10145 434 1114 1184 2534 2535 2536 2537 2538
10150 434 1184 1184 1322 1323 1320 1325 1324
10155 434 1184 1082 2384 2385 2386 2387 2388
10160 434 1184 1114 2540 2541 2542 2543 2544
10165 1996 1083 1083 1110 1111 1108 1113 1112
10170 2000 1266 1266 1552 1553 1550 1555 1554
10175 1982 1186 1186 1332 1333 1330 1335 1334
10195 1988 1700 1700 1754 1755 1752 1757 1756
10200 424 16 16 58 1694 91 1695 59
10215 2095 25 25 2314 2315 98 2317 2318
10220 2097 1042 1042 2326 2327 1054 2329 2330
10230 397 2277 2277 1072 1074 1070 1075 1073
10235 2994 2249 2249 2990 2992 2988 2993 2991
10240 3194 2249 2249 3190 3192 3188 3193 3191
10245 2968 2950 2950 2974 2976 2972 2977 2975
10353 3522 3500 3500 3518 3520 3516 3521 3519
10450 4033 3802 3802 3242 3244 3240 3245 3243
`;

/** oid, castsource, casttarget, castcontext, castmethod, name of castfunc. */
export const castData = `
10000 20 21 a f int2
10001 20 23 a f int4
10002 20 700 i f float4
10003 20 701 i f float8
10004 20 1700 i f numeric
10005 21 20 i f int8
10006 21 23 i f int4
10007 21 700 i f float4
10008 21 701 i f float8
10009 21 1700 i f numeric
10010 23 20 i f int8
10011 23 21 a f int2
10012 23 700 i f float4
10013 23 701 i f float8
10014 23 1700 i f numeric
10015 700 20 a f int8
10016 700 21 a f int2
10017 700 23 a f int4
10018 700 701 i f float8
10019 700 1700 a f numeric
10020 701 20 a f int8
10021 701 21 a f int2
10022 701 23 a f int4
10023 701 700 a f float4
10024 701 1700 a f numeric
10025 1700 20 a f int8
10026 1700 21 a f int2
10027 1700 23 a f int4
10028 1700 700 i f float4
10029 1700 701 i f float8
10034 23 16 e f bool
10035 16 23 e f int4
10036 5069 28 e f xid
10037 20 26 i f oid
10038 21 26 i f int4
10039 23 26 i b -
10040 26 20 a f int8
10041 26 23 a b -
10042 26 24 i b -
10043 24 26 i b -
10044 20 24 i f oid
10045 21 24 i f int4
10046 23 24 i b -
10047 24 20 a f int8
10048 24 23 a b -
10049 24 2202 i b -
10050 2202 24 i b -
10051 26 2202 i b -
10052 2202 26 i b -
10053 20 2202 i f oid
10054 21 2202 i f int4
10055 23 2202 i b -
10056 2202 20 a f int8
10057 2202 23 a b -
10058 26 2203 i b -
10059 2203 26 i b -
10060 20 2203 i f oid
10061 21 2203 i f int4
10062 23 2203 i b -
10063 2203 20 a f int8
10064 2203 23 a b -
10065 2203 2204 i b -
10066 2204 2203 i b -
10067 26 2204 i b -
10068 2204 26 i b -
10069 20 2204 i f oid
10070 21 2204 i f int4
10071 23 2204 i b -
10072 2204 20 a f int8
10073 2204 23 a b -
10074 26 2205 i b -
10075 2205 26 i b -
10076 20 2205 i f oid
10077 21 2205 i f int4
10078 23 2205 i b -
10079 2205 20 a f int8
10080 2205 23 a b -
10088 26 2206 i b -
10089 2206 26 i b -
10090 20 2206 i f oid
10091 21 2206 i f int4
10092 23 2206 i b -
10093 2206 20 a f int8
10094 2206 23 a b -
10095 26 3734 i b -
10096 3734 26 i b -
10097 20 3734 i f oid
10098 21 3734 i f int4
10099 23 3734 i b -
10100 3734 20 a f int8
10101 3734 23 a b -
10109 25 2205 i f regclass
10110 1043 2205 i f regclass
10111 26 4096 i b -
10112 4096 26 i b -
10113 20 4096 i f oid
10114 21 4096 i f int4
10115 23 4096 i b -
10116 4096 20 a f int8
10117 4096 23 a b -
10118 26 4089 i b -
10119 4089 26 i b -
10120 20 4089 i f oid
10121 21 4089 i f int4
10122 23 4089 i b -
10123 4089 20 a f int8
10124 4089 23 a b -
10125 25 1042 i b -
10126 25 1043 i b -
10127 1042 25 i f text
10128 1042 1043 i f text
10129 1043 25 i b -
10130 1043 1042 i b -
10131 18 25 i f text
10132 18 1042 a f bpchar
10133 18 1043 a f text
10134 19 25 i f text
10135 19 1042 a f bpchar
10136 19 1043 a f varchar
10137 25 18 a f char
10138 1042 18 a f char
10139 1043 18 a f char
10140 25 19 i f name
10141 1042 19 i f name
10142 1043 19 i f name
10143 18 23 e f int4
10144 23 18 e f char
10145 194 25 i b -
10152 1082 1114 i f timestamp
10153 1082 1184 i f timestamptz
10154 1083 1186 i f interval
10155 1083 1266 i f timetz
10156 1114 1082 a f date
10157 1114 1083 a f time
10158 1114 1184 i f timestamptz
10159 1184 1082 a f date
10160 1184 1083 a f time
10161 1184 1114 a f timestamp
10162 1184 1266 a f timetz
10163 1186 1083 a f time
10164 1266 1083 a f time
10191 16 25 a f text
10196 16 1043 a f text
10201 16 1042 a f text
10204 1042 1042 i f bpchar
10205 1043 1043 i f varchar
10206 1083 1083 i f time
10207 1114 1114 i f timestamp
10208 1184 1184 i f timestamptz
10209 1186 1186 i f interval
10210 1266 1266 i f timetz
10213 1700 1700 i f numeric
10214 114 3802 a i -
10215 3802 114 a i -
10216 3802 16 e f bool
10217 3802 1700 e f numeric
10218 3802 21 e f int2
10219 3802 23 e f int4
10220 3802 20 e f int8
10221 3802 700 e f float4
10222 3802 701 e f float8
`;
