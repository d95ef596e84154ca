#pragma once

#include <qcustomplot.h>

namespace qaq::views {

/// Ticks of an even axis, with the minus that the window writes; of an axis that counts on whole
/// numbers alone.
class LinearTicker : public QCPAxisTicker {
 public:
  explicit LinearTicker(bool whole) : m_whole(whole) {}

 protected:
  double getTickStep(const QCPRange& range) override;
  int getSubTickCount(double step) override;
  QString getTickLabel(double tick, const QLocale& locale, QChar formatChar,
                       int precision) override;

 private:
  bool m_whole;
};

/// Ticks of a category axis. Along x names are turned where they are too long to stand side by
/// side, and left out, all but every second, third, ..., where even so they would overlap.
class NameTicker : public QCPAxisTickerText {
 public:
  explicit NameTicker(QCPAxis* axis) : m_axis(axis) {}

  void generate(const QCPRange& range, const QLocale& locale, QChar formatChar, int precision,
                QVector<double>& ticks, QVector<double>* subTicks,
                QVector<QString>* tickLabels) override;

 private:
  QCPAxis* m_axis;
};

/// Ticks of a logarithmic axis: decades, with 2 and 5 or all digits between them where there are
/// few, and never more than the axis has room for.
class LogTicker : public QCPAxisTicker {
 public:
  explicit LogTicker(QCPAxis* axis) : m_axis(axis) {}

  void generate(const QCPRange& range, const QLocale& locale, QChar formatChar, int precision,
                QVector<double>& ticks, QVector<double>* subTicks,
                QVector<QString>* tickLabels) override;

 private:
  QCPAxis* m_axis;
};

}  // namespace qaq::views
