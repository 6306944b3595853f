"""CPU time and memory of this process and of those it started and waited for."""

import resource


def cpu_seconds() -> float:
    """User and system time so far."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def peak_gigabytes() -> float:
    """The most memory that any one of them held."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return max(one.ru_maxrss for one in used) / 1024**2
