import numpy as np
import skimage
import skimage.io
import skimage.transform


def load_image(path):
    # the image
    img = skimage.io.imread(path)
    img = img / 255.0
    assert (0 <= img).all() and (img <= 1.0).all()
    edge = min(img.shape[:2])
    y = int((img.shape[0] - edge) / 2)
    x = int((img.shape[1] - edge) / 2)
    crop = img[y: y + edge, x: x + edge]
    return skimage.transform.resize(crop, (224, 224))


def load_image2(path, height=None, width=None):
    img = skimage.io.imread(path) / 255.0
    if height is not None and width is not None:
        ny = height
        nx = width
    elif height is not None:
        ny = height
        nx = img.shape[1] * ny / img.shape[0]
    elif width is not None:
        nx = width
        ny = img.shape[0] * nx / img.shape[1]
    else:
        ny = img.shape[0]
        nx = img.shape[1]
    return skimage.transform.resize(img, (ny, nx))


def print_prob(prob, file_path):
    labels = [l.strip() for l in open(file_path).readlines()]
    order = np.argsort(prob)[::-1]
    top1 = labels[order[0]]
    print(("Top1: ", top1, prob[order[0]]))
    top5 = [(labels[order[i]], prob[order[i]]) for i in range(5)]
    print(("Top5: ", top5))
    return top1


def test():
    img = load_image("./test_data/starry_night.jpg")
    skimage.io.imsave("./out.jpg", img)


if __name__ == "__main__":
    test()
