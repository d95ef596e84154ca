#pragma once

#include "views/plots/plot_overlay.h"

namespace qaq::views {

/// A bracket above the map over the newest tokens, which get n_bits_max by rule and not because
/// they matter; and, over what lies behind the quantized prefix, a word that it is not there yet.
class ForcedBracket : public PlotOverlay {
  Q_OBJECT

 public:
  using PlotOverlay::PlotOverlay;
  /// Tokens [prefix - newest, prefix) of n_tokens.
  void setTokens(std::int64_t newest, std::int64_t prefix, std::int64_t nTokens);

 protected:
  QRect clipRect() const override;
  void draw(QCPPainter* painter) override;

 private:
  void drawAfterPrefix(QCPPainter* painter) const;

  std::int64_t m_newest = 0;
  std::int64_t m_prefix = 0;
  std::int64_t m_tokens = 0;
};

}  // namespace qaq::views
