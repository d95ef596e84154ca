#pragma once

#include <QPainter>

#include "views/plots/token_flow.h"

namespace qaq::views {

/// What the strips and signs of a TokenFlow mean, in one line of kHeight px; what finds no room is
/// left out, from the right.
class TokenLegend {
 public:
  static constexpr Px<int> kHeight{28};

  static void draw(QPainter* painter, const QRectF& area, const TokenFlow& flow,
                   const Theme& theme);
  /// The same in words.
  static QString text(const TokenFlow& flow);
};

}  // namespace qaq::views
