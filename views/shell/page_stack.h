#pragma once

#include <QTabWidget>

#include "views/shell/plot_page.h"

namespace qaq::views {

/// The pages of plots as tabs. All pages show the same result; only the one in sight is drawn.
class PageStack : public QTabWidget {
  Q_OBJECT

 public:
  explicit PageStack(SelectionModel* selection, QWidget* parent = nullptr);

  /// What the window begins with: every view of its pages, the trade-off beside A and B again.
  static QList<PageLayout> builtIn();
  /// Takes the place of all pages.
  void setPages(const QList<PageLayout>& layouts);
  void addPage(const PageLayout& layout);
  void closePage(int index);
  QList<PageLayout> layouts() const;

  const Theme& theme() const { return m_theme; }
  PlotPage* page(int index) const;
  PlotPage* current() const { return page(currentIndex()); }
  /// The view of the first page that has it; null where none has. It may be out of sight.
  PlotView* view(const QString& id) const;
  /// Brings the page that holds a view to the front; false where none does.
  bool bringUp(const QString& id);
  /// As bringUp(); a page that the window began with and that was closed is made anew.
  bool bringBack(const QString& id);

  void show(const SharedSlice& slice);
  /// See PlotPage::blink().
  void blink(const SharedSlice& a);
  void setMessage(const QString& text);
  void setTheme(const Theme& theme);
  void setUpdating(bool updating);
  void resetZoom();
  bool isSettled() const;

 protected:
  void resizeEvent(QResizeEvent* event) override;

 signals:
  /// Pages were made anew.
  void pagesChanged();

 private:
  void insertPage(const PageLayout& layout);
  QList<PlotPage*> pages() const;

  SelectionModel* m_selection;
  SharedSlice m_slice;
  QString m_message;
  Theme m_theme = Theme::of(ThemeKind::light);
};

}  // namespace qaq::views
