#pragma once

#include <atomic>
#include <cmath>
#include <type_traits>

namespace qaq::views {

/// How much larger than at a desk everything on the screen is: 1, or Theme::kPresented for a room.
/// What was laid out before is not changed by it: see shell/rescale.h, which sets it.
inline std::atomic<double>& screenScale() {
  static std::atomic<double> scale = 1;  // workers measure text
  return scale;
}

/// So many px at a desk.
inline double px(double atDesk) { return atDesk * screenScale().load(std::memory_order_relaxed); }
inline int wholePx(double atDesk) { return static_cast<int>(std::lround(px(atDesk))); }

/// A length of a view, as it is at a desk; read, it is what it is now.
template <class Number>
class Px {
 public:
  constexpr explicit Px(Number atDesk) : m_atDesk(atDesk) {}
  // NOLINTNEXTLINE(google-explicit-constructor): it stands where numbers stand
  operator Number() const {
    if constexpr (std::is_integral_v<Number>) {
      return wholePx(m_atDesk);
    } else {
      return px(m_atDesk);
    }
  }

 private:
  Number m_atDesk;
};

}  // namespace qaq::views
