// stats.h: figures, for people and programs.

#ifndef STATS_H
#define STATS_H

// On stderr, at the end of the process.
void print_stats(void);

#endif
