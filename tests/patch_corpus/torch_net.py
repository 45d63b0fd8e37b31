import torch.nn as nn
import torch.nn.functional as F
# tensorflow's VGG, for PyTorch


class VGG16(nn.Module):
    def forward(self, x):
        x = F.relu(self.conv1_1(x))
        x = F.relu(self.conv1_2(x))
        x = F.max_pool2d(x, 2)
        x = F.relu(self.conv2_1(x))
        x = F.relu(self.conv2_2(x))
        x = F.max_pool2d(x, 2)
        x = F.relu(self.conv3_1(x))
        x = F.relu(self.conv3_2(x))
        x = F.relu(self.conv3_3(x))
        x = F.max_pool2d(x, 2)
        x = F.relu(self.conv4_1(x))
        x = F.relu(self.conv4_2(x))
        x = F.relu(self.conv4_3(x))
        x = F.max_pool2d(x, 2)
        x = F.relu(self.conv5_1(x))
        x = F.relu(self.conv5_2(x))
        x = F.relu(self.conv5_3(x))
        x = F.max_pool2d(x, 2)
        x = x.view(-1, 25088)
        x = F.relu(self.fc6(x))
        return self.fc7(x)
# output
# line 25: x = F.max_pool2d(x, 2)
# line 27: x = F.relu(self.fc6(x))
# its layers are not TensorFlow 1's: the block cannot take what they give
