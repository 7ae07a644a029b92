/** The longest delay of a timer in milliseconds, about 25 days. Node shortens a longer one to 1 ms. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;
