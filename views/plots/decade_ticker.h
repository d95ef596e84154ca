#pragma once

#include <qcustomplot.h>

#include "core/analysis/log_bins.h"

namespace qaq::views {

/// Ticks at the powers of ten of an axis whose cells are logarithmic bins, never closer than 28 px.
class DecadeTicker : public QCPAxisTicker {
 public:
  /// Bins run along the axis, or against it where they go `upwards` on rows that go down.
  explicit DecadeTicker(const QCPAxis* axis, bool upwards = false)
      : m_axis(axis), m_upwards(upwards) {}

  void setBins(const LogBins& bins) { m_bins = bins; }

  void generate(const QCPRange& range, const QLocale& locale, QChar formatChar, int precision,
                QVector<double>& ticks, QVector<double>* subTicks,
                QVector<QString>* tickLabels) override;

 private:
  const QCPAxis* m_axis;
  bool m_upwards;
  LogBins m_bins;
};

}  // namespace qaq::views
