#pragma once

#include "views/models/derived.h"
#include "views/plots/plot_view.h"
#include "views/plots/token_area.h"

class QComboBox;
class QLabel;
class QLineEdit;
class QStackedLayout;
class QToolButton;

namespace qaq::views {

/// V8: the text, with strips of bits, outliers and attention below each token. What the strips hold
/// is computed on a worker.
class TokenView : public PlotView {
  Q_OBJECT

 public:
  explicit TokenView(SelectionModel* selection, QWidget* parent = nullptr);

  QString id() const override { return QStringLiteral("tokens"); }
  QString title() const override { return tr("Tokens"); }
  void show(const SharedSlice& slice) override;
  void setMessage(const QString& text) override;
  void setTheme(const Theme& theme) override;
  void setUpdating(bool updating) override;
  bool isReady() const override { return m_job.isReady(); }
  QString error() const override { return m_message; }
  QJsonObject viewState() const override;
  void setViewState(const QJsonObject& state) override;
  void setCompact(bool compact) override;
  QSize figureSize() const override;
  void paintFigure(QCPPainter* painter, const QSize& size) override;
  QString summary() const override;
  std::optional<Table> table() const override;

  void setGranularity(Granularity granularity);
  /// Strips of all layers and KV heads, or of the slice's.
  void setAllHeads(bool all);
  /// Moves the keyboard to the text to look for.
  void openSearch();
  /// Looks for `text` and marks where it stands. The lock moves to the first place at or behind it.
  void find(const QString& text);
  void findNext(int by = 1);
  /// "3 of 15".
  QString foundText() const;
  TokenArea* area() const { return m_area; }

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  void makeHeader();
  void request();
  void present(const SharedTokenContent& content);
  void lookAgain();
  QString subtitle() const;

  QWidget* m_header;
  QLabel* m_title;
  QLabel* m_subtitle;
  QLabel* m_state;
  QComboBox* m_granularity;
  QComboBox* m_scope;
  QLineEdit* m_search;
  QLabel* m_count;
  QToolButton* m_previous;
  QToolButton* m_next;
  TokenArea* m_area;
  QWidget* m_legend;
  QLabel* m_text;
  QStackedLayout* m_pages;

  SharedSlice m_slice;
  QString m_message;
  Theme m_theme = Theme::of(ThemeKind::light);
  std::vector<std::int32_t> m_found;
  Derived<TokenContent> m_job;  // last: its worker is joined first
};

}  // namespace qaq::views
