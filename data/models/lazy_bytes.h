#pragma once

#include <cstddef>
#include <mutex>
#include <vector>

namespace qaq {

/// Bytes of a weight that its file holds in another order, made when they are first asked for.
struct LazyBytes {
  std::once_flag made;
  std::vector<std::byte> bytes;
};

}  // namespace qaq
