#include "cli/standard_descriptors.h"

#include <fcntl.h>
#include <unistd.h>

#include <initializer_list>

namespace ic::cli {

void hold_standard_descriptors() {
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::fcntl(fd, F_GETFD) >= 0) {
            continue;
        }
        // The lowest number that is free is this one. The wrong direction: using it is an error,
        // as it would be if it were closed. Not kept in an owner: it is to stay.
        static_cast<void>(::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY));
    }
}

} // namespace ic::cli
