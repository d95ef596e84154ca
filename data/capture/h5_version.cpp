#include "data/capture/h5_version.h"

#include <hdf5.h>

#include "core/base/text.h"
#include "data/capture/h5_thread.h"

namespace qaq {

std::string hdf5_version() {
  return h5::thread().run([] {
    unsigned major = 0, minor = 0, release = 0;
    H5get_libversion(&major, &minor, &release);
    return cat(major, ".", minor, ".", release);
  });
}

}  // namespace qaq
