#pragma once

#include "core/policy/qaq_params.h"

namespace qaq::views {

/// Which cache, layer and head the single-head views show.
struct Slice {
  static constexpr int kGroup = -1;  ///< the maximum over the KV head's query heads

  CacheSide side = CacheSide::value;
  int layer = 0;  ///< index into the captured layers
  int kvHead = 0;
  int queryHead = kGroup;  ///< or a query head that reads kvHead

  friend bool operator==(const Slice&, const Slice&) = default;
};

/// A cell that the pointer is on or that the user locked.
struct Cursor {
  static constexpr int kNone = -1;

  CacheSide side = CacheSide::value;
  int layer = 0;  ///< index into the captured layers
  int kvHead = 0;
  int token = 0;        ///< position
  int step = kNone;     ///< query position, where the cell is one of attention
  int channel = kNone;  ///< where the cell is one value of a head

  friend bool operator==(const Cursor&, const Cursor&) = default;
};

}  // namespace qaq::views
